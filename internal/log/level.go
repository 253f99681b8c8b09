package log

import "fmt"

// Level is how grave a message is; a component shows those of its own level and above.
type Level int32

// The levels, least grave first. A component at Off shows nothing.
const (
	Trace Level = iota
	Debug
	Info
	Warning
	Error
	Critical
	Off
)

var levelNames = [...]string{"trace", "debug", "info", "warning", "error", "critical", "off"}

// String is Envoy's name of the level.
func (l Level) String() string {
	if l < Trace || l > Off {
		return fmt.Sprintf("level(%d)", int32(l))
	}
	return levelNames[l]
}

// short is the one letter that %L prints.
func (l Level) short() string { return string(l.String()[0] - 'a' + 'A') }

// ParseLevel reads a level's name; "warn" is accepted for "warning", other cases and spaces are
// not.
//
// It fails with Envoy's `error: invalid log level specified '{}'`.
//
// Envoy: OptionsImpl::parseAndValidateLogLevel
func ParseLevel(name string) (Level, error) {
	if name == "warn" {
		return Warning, nil
	}
	for l, known := range levelNames {
		if name == known {
			return Level(l), nil
		}
	}
	return Off, fmt.Errorf("error: invalid log level specified '%s'", name)
}
