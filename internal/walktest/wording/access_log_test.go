package wording

import (
	"testing"

	"envoywalk/internal/walktest"
)

// The access logs' sentences. They are 1.17's, of substitution_formatter.cc and
// access_log_manager_impl.cc.
const (
	noAccessLogFile = "unable to open file '{}': {}"
	badFormat       = "Incorrect configuration: {}. Couldn't find valid command at position {}"
	noSuchOperator  = "Not supported field in StreamInfo: {}"
	badJSONFormat   = "Only string values or nested structs are supported in structured access log format."
)

const (
	toFile    = `{name: f, typed_config: {"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, `
	accessLog = "    access_log:\n    - " + toFile
	log0      = "static_resources.listeners[0].access_log[0]"
)

// accessLogMistakes are in the configuration itself: validate tells them too.
func accessLogMistakes() []mistake {
	return []mistake{
		{name: "a percent sign stands alone", yaml: static + listener("a", anyPort,
			accessLog+"path: /dev/null, log_format: {text_format: '100 %'}}}\n"), sentence: badFormat,
			values: []any{"100 %", 4}, at: "6:7", path: log0, hint: "a percent sign is %%"},
		{name: "an operator is misspelt", yaml: static + listener("a", anyPort,
			accessLog+"path: /dev/null, format: '%BYTES%'}}\n"), sentence: noSuchOperator, values: []any{"BYTES"},
			at: "6:7", path: log0, hint: "an operator is %NAME%"},
		{name: "JSON holds a number", yaml: static + listener("a", anyPort,
			accessLog+"path: /dev/null, log_format: {json_format: {a: 1}}}}\n"), sentence: badJSONFormat,
			at: "6:7", path: log0},
		{name: "an operator of the admin's is misspelt", chapter: "01", yaml: "admin:\n  access_log:\n  - " + toFile +
			"path: /dev/null, format: '%FOO%'}}\n  address: " + anyPort + "\n", sentence: noSuchOperator,
			values: []any{"FOO"}, at: "3:5", path: "admin.access_log[0]", hint: "an operator is %NAME%"},
	}
}

func TestAnAccessLogThatCannotBeKeptIsToldWithItsPlace(t *testing.T) {
	all(t, []mistake{
		{name: "its folder is missing", yaml: static + listener("a", anyPort, accessLog+"path: /nowhere/x}}\n"),
			sentence: noAccessLogFile, values: []any{"/nowhere/x", "No such file or directory"}, at: "6:7", path: log0,
			hint: "its folder must exist"},
		{name: "the admin's folder is missing", chapter: "01", yaml: "admin:\n  access_log_path: /nowhere/x\n" +
			"  address: " + anyPort + "\n", sentence: noAccessLogFile,
			values: []any{"/nowhere/x", "No such file or directory"}, at: "2:3", path: "admin.access_log_path"},
	})
}

// TestALostAccessLogLineIsTold: the server goes on.
func TestALostAccessLogLineIsTold(t *testing.T) {
	admin := inDir(shortDir(t), "admin")
	p := walktest.Start(t, "04", "-c", walktest.Config(t, "admin:\n  access_log_path: /dev/full\n"+
		"  address: {pipe: {path: "+admin+"}}\n"+static+listener("a", anyPort, "")))
	p.Ready()
	get(t, admin, "/ready")
	p.WaitFor("cannot write access log '/dev/full': No space left on device: lines are lost")
}
