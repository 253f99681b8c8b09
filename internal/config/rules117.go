package config

import (
	"fmt"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/proto"
)

// rule is a violation of a rule that 1.17 has and today's generated code has not.
type rule struct {
	message, field, reason string
	cause                  error
}

func (r *rule) Error() string     { return r.message + "." + r.field + ": " + r.reason }
func (r *rule) Field() string     { return r.field }
func (r *rule) Reason() string    { return r.reason }
func (r *rule) Cause() error      { return r.cause }
func (r *rule) Key() bool         { return false }
func (r *rule) ErrorName() string { return r.message + "ValidationError" }

// rules117 holds the rules that 1.17 has and the newer messages dropped: a listener's address is
// required (today there are listeners without one, which nothing here rebuilds).
func rules117(m proto.Message) error {
	b, ok := m.(*bootstrapv3.Bootstrap)
	if !ok {
		return nil
	}
	for i, l := range b.GetStaticResources().GetListeners() {
		if l.GetAddress() == nil {
			const embedded = "embedded message failed validation"
			missing := &rule{"Listener", "Address", "value is required", nil}
			in := &rule{"StaticResources", fmt.Sprintf("Listeners[%d]", i), embedded, missing}
			return &rule{"Bootstrap", "StaticResources", embedded, in}
		}
	}
	return nil
}
