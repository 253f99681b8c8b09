package startup

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"envoywalk/internal/config"
	"envoywalk/internal/log"
	"envoywalk/trace"
	"envoywalk/trace/tree"
)

// Mode is what the process is for.
//
// Envoy: Server::Mode
type Mode int

const (
	Serve    Mode = iota // check the configuration, then serve
	Validate             // check it and exit
	InitOnly             // build the server and exit
)

// Options is the command line.
//
// Envoy: OptionsImpl
type Options struct {
	ConfigPath, ConfigYAML        string
	Mode                          Mode
	Concurrency                   int
	LogLevel                      log.Level
	ComponentLogLevel             string
	LogFormat, LogPath            string
	LogFormatEscaped              bool
	AdminAddressPath              string
	BaseID, RestartEpoch          int
	DrainTime, ParentShutdownTime int // seconds
	ShutdownDrainTime             int // seconds
	DrainStrategy                 DrainStrategy
	AllowUnknownStatic            bool
	ServiceCluster, ServiceNode   string
	ServiceZone                   string

	Trace  []string     // --trace, in order
	All    bool         // --tree=all
	Envoy  bool         // --envoy
	Kinds  tree.Kinds   // --kinds
	Thread []string     // --thread
	Sample trace.Sample // --trace-sample K,N
	Demo   bool         // no configuration was given

	chapter Chapter
	refused error // the first flag that is Envoy's and not rebuilt
	help    bool
	version bool
}

// noServing ends the process well without serving: --help, --version.
//
// Envoy: NoServingException
type noServing struct{ text string }

func (*noServing) Error() string { return "nothing to serve" }

// malformed is a command line that cannot be obeyed.
//
// Envoy: MalformedArgvException
type malformed struct{ text string }

func (m *malformed) Error() string { return m.text }

func malformedf(format string, args ...any) error { return &malformed{fmt.Sprintf(format, args...)} }

// ParseOptions reads a command line. args[0] is the program's name.
//
// Envoy: OptionsImpl::OptionsImpl
func ParseOptions(c Chapter, args []string) (*Options, error) {
	o := &Options{chapter: c, Concurrency: runtime.NumCPU(), LogLevel: log.Info,
		LogFormat: log.DefaultFormat, DrainTime: 600, ParentShutdownTime: 900}
	given := map[string]bool{}
	for rest := args[1:]; len(rest) > 0; {
		used, name, err := o.parseOne(rest, given)
		if err != nil {
			return nil, err
		}
		given[name] = true
		rest = rest[used:]
	}
	switch {
	case o.help:
		return nil, &noServing{usage(c)}
	case o.version:
		return nil, &noServing{fmt.Sprintf("envoywalk %s, after Envoy 1.17.0 (%s)\n", c.Name, envoyRevision)}
	}
	return o, o.settle(given)
}

// envoyRevision is the commit that everything here was compared with.
const envoyRevision = "5c801b25cae04f06bf48248c90e87d623d7a6283"

// parseOne reads the flag at the front of rest and returns how many words it took.
func (o *Options) parseOne(rest []string, given map[string]bool) (used int, name string, err error) {
	word, value, hasValue := strings.Cut(rest[0], "=")
	f := flagByName(word)
	switch {
	case f == nil:
		return 0, "", unknownFlag(word)
	case given[f.name] && !f.repeats:
		return 0, "", malformedf("PARSE ERROR: Argument: (--%s)\n             Argument already set!", f.name)
	case f.value == "" && hasValue:
		return 0, "", malformedf("--%s takes no value", f.name)
	case f.value == "" || hasValue:
		return 1, f.name, f.apply(o, word, value)
	case len(rest) == 1:
		return 0, "", malformedf("PARSE ERROR: Argument: %s\n"+
			"             Missing a value for this argument!", word)
	}
	return 2, f.name, f.apply(o, word, rest[1])
}

// apply sets the flag. One that is refused is only remembered: the flags that follow may make
// Envoy's own objection to it the better answer.
func (f *flag) apply(o *Options, word, value string) error {
	if f.refuse == "" {
		return f.set(o, value)
	}
	if o.refused == nil {
		o.refused = malformedf("%s is not rebuilt here: %s", word, f.refuse)
	}
	return nil
}

// settle decides what no single flag decides.
func (o *Options) settle(given map[string]bool) error {
	o.Concurrency = max(1, o.Concurrency)
	if !given["config-path"] && !given["config-yaml"] && o.Mode == Serve {
		o.Demo = true
		o.ConfigYAML = o.chapter.demoConfig()
		if !given["concurrency"] {
			o.Concurrency = 2
		}
		if len(o.Trace) == 0 {
			o.Trace = []string{"tree"}
		}
	}
	if o.RestartEpoch > 0 && given["use-dynamic-base-id"] {
		return malformedf("error: cannot use --restart-epoch=%d with --use-dynamic-base-id", o.RestartEpoch)
	}
	if o.refused != nil {
		return o.refused
	}
	if o.RestartEpoch > 0 {
		return malformedf("--restart-epoch %d asks for a parent process to take over from, and this "+
			"chapter has no hot restart", o.RestartEpoch)
	}
	return nil
}

func (o *Options) loading() config.Options {
	loading := config.Options{Path: o.ConfigPath, YAML: o.ConfigYAML, Chapter: o.chapter.Number,
		AllowUnknownStatic: o.AllowUnknownStatic}
	if o.Demo {
		loading.Name = "envoy.yaml (embedded in " + o.chapter.ConfigOf + ")"
	}
	return loading
}

func parseMode(o *Options, v string) error {
	modes := map[string]Mode{"serve": Serve, "validate": Validate, "init_only": InitOnly}
	m, ok := modes[v]
	if !ok {
		return malformedf("error: unknown mode '%s'", v)
	}
	o.Mode = m
	return nil
}

func parseLevel(o *Options, v string) (err error) {
	if o.LogLevel, err = log.ParseLevel(v); err != nil {
		return &malformed{err.Error()}
	}
	return nil
}

// parseComponents keeps the list for the logger, which a list that is wrong never gets to see.
//
// Envoy: OptionsImpl::parseComponentLogLevels
func parseComponents(o *Options, v string) error {
	if err := log.New(io.Discard, nil).SetComponentLevel(v); err != nil {
		return &malformed{err.Error()}
	}
	o.ComponentLogLevel = v
	return nil
}

func parseSample(o *Options, v string) error {
	first, every, ok := strings.Cut(v, ",")
	k, errK := strconv.ParseUint(first, 10, 32)
	n, errN := strconv.ParseUint(every, 10, 32)
	if !ok || errK != nil || errN != nil || n == 0 {
		return malformedf("--trace-sample '%s': want K,N: the first K connections whole, then 1 in N", v)
	}
	o.Sample = trace.Sample{First: k, Every: n}
	return nil
}

func parseKinds(o *Options, v string) (err error) {
	if o.Kinds, err = tree.ParseKinds(v); err != nil {
		return malformedf("--kinds: %s", err)
	}
	return nil
}

func parseThread(o *Options, v string) error {
	if o.Thread = strings.Split(v, ","); slices.Contains(o.Thread, "") {
		return malformedf("--thread '%s': want NAME[,NAME], such as main,worker_0", v)
	}
	return nil
}

// number makes a setter for a flag that is a whole number.
func number(name string, field func(*Options) *int) func(*Options, string) error {
	return func(o *Options, v string) error {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return malformedf("PARSE ERROR: Argument: (--%s)\n"+
				"             Couldn't read argument value from string '%s'", name, v)
		}
		*field(o) = int(n)
		return nil
	}
}

func text(field func(*Options) *string) func(*Options, string) error {
	return func(o *Options, v string) error {
		*field(o) = v
		return nil
	}
}

func yes(field func(*Options) *bool) func(*Options, string) error {
	return func(o *Options, _ string) error {
		*field(o) = true
		return nil
	}
}
