package accesslog

import "strings"

// Hint is what may help against an error of Create or Check.
func Hint(err error) string {
	switch text := err.Error(); {
	case strings.HasPrefix(text, "unable to open file"):
		return "its folder must exist and be writable; /dev/null keeps no log"
	case strings.HasPrefix(text, "Incorrect configuration"),
		strings.HasPrefix(text, "Not supported field"):
		return "an operator is %NAME%, %NAME(argument)% or %NAME(argument):length%; " +
			"a percent sign is %%"
	}
	return ""
}
