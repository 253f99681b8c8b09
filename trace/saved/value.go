package saved

import (
	"encoding/json"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
)

// attributeList is a list of attributes in the spelling of stdouttrace: each value with its type.
type attributeList []attribute.KeyValue

// UnmarshalJSON implements json.Unmarshaler.
func (l *attributeList) UnmarshalJSON(text []byte) error {
	var items []struct {
		Key   string
		Value typedValue
	}
	if err := json.Unmarshal(text, &items); err != nil {
		return err
	}
	for _, item := range items {
		v, err := item.Value.value()
		if err != nil {
			return fmt.Errorf("the attribute %s holds no %s", item.Key, item.Value.Type)
		}
		*l = append(*l, attribute.KeyValue{Key: attribute.Key(item.Key), Value: v})
	}
	return nil
}

type typedValue struct {
	Type  string
	Value json.RawMessage
}

func (t typedValue) value() (attribute.Value, error) {
	switch t.Type {
	case "STRING":
		return valueOf(t.Value, attribute.StringValue)
	case "INT64":
		return valueOf(t.Value, attribute.Int64Value)
	case "BOOL":
		return valueOf(t.Value, attribute.BoolValue)
	case "FLOAT64":
		return valueOf(t.Value, attribute.Float64Value)
	case "STRINGSLICE":
		return valueOf(t.Value, attribute.StringSliceValue)
	case "INT64SLICE":
		return valueOf(t.Value, attribute.Int64SliceValue)
	case "BOOLSLICE":
		return valueOf(t.Value, attribute.BoolSliceValue)
	case "FLOAT64SLICE":
		return valueOf(t.Value, attribute.Float64SliceValue)
	case "BYTESLICE":
		return valueOf(t.Value, attribute.ByteSliceValue)
	case "EMPTY":
		return attribute.Value{}, nil
	}
	// Types that no span of ours has are kept as text.
	return attribute.StringValue(string(t.Value)), nil
}

func valueOf[T any](raw json.RawMessage, wrap func(T) attribute.Value) (attribute.Value, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return wrap(v), err
}
