package startup

import (
	"fmt"
	"strings"

	"envoywalk/trace/sink"
)

// flag is one flag of the command line. One that would do nothing is refused, never swallowed.
type flag struct {
	name, short string
	value       string // what its value is called; empty for a switch
	help        string
	repeats     bool
	refuse      string // why it is not accepted
	set         func(o *Options, value string) error
}

// flags are Envoy's own, with Envoy's meanings, then ours.
var flags = []flag{
	{name: "config-path", short: "c", value: "FILE", help: "the configuration, YAML or JSON",
		set: text(func(o *Options) *string { return &o.ConfigPath })},
	{name: "config-yaml", value: "YAML", help: "inline YAML, merged over --config-path",
		set: text(func(o *Options) *string { return &o.ConfigYAML })},
	{name: "mode", value: "MODE", help: "serve (default), validate or init_only", set: parseMode},
	{name: "concurrency", value: "N", help: "worker threads; default: one a processor",
		set: number("concurrency", func(o *Options) *int { return &o.Concurrency })},
	{name: "log-level", short: "l", value: "LEVEL",
		help: "trace, debug, info (default), warning, error, critical, off", set: parseLevel},
	{name: "component-log-level", value: "LIST", help: "such as main:debug,config:trace",
		set: text(func(o *Options) *string { return &o.ComponentLogLevel })},
	{name: "log-format", value: "PATTERN", help: "spdlog's pattern of a line",
		set: text(func(o *Options) *string { return &o.LogFormat })},
	{name: "log-format-escaped", help: "escape control characters in log lines",
		set: yes(func(o *Options) *bool { return &o.LogFormatEscaped })},
	{name: "log-path", value: "FILE", help: "log there instead of stderr",
		set: text(func(o *Options) *string { return &o.LogPath })},
	{name: "base-id", value: "N", help: "only logged: without hot restart nothing is shared by it",
		set: number("base-id", func(o *Options) *int { return &o.BaseID })},
	{name: "restart-epoch", value: "N", help: "0: there is no hot restart yet",
		set: number("restart-epoch", func(o *Options) *int { return &o.RestartEpoch })},
	{name: "drain-time-s", value: "N", help: "seconds, default 600: shown by /server_info, acted on by listener drains later",
		set: number("drain-time-s", func(o *Options) *int { return &o.DrainTime })},
	{name: "parent-shutdown-time-s", value: "N", help: "seconds until a parent is told to go, default 900",
		set: number("parent-shutdown-time-s", func(o *Options) *int { return &o.ParentShutdownTime })},
	{name: "disable-hot-restart", help: "what this chapter does anyway",
		set: func(*Options, string) error { return nil }},
	{name: "allow-unknown-static-fields", help: "warn of unknown fields instead of refusing them",
		set: yes(func(o *Options) *bool { return &o.AllowUnknownStatic })},
	{name: "service-cluster", value: "NAME", help: "the node's cluster",
		set: text(func(o *Options) *string { return &o.ServiceCluster })},
	{name: "service-node", value: "NAME", help: "the node's id",
		set: text(func(o *Options) *string { return &o.ServiceNode })},
	{name: "service-zone", value: "NAME", help: "the node's zone",
		set: text(func(o *Options) *string { return &o.ServiceZone })},
	{name: "help", short: "h", help: "this text", set: yes(func(o *Options) *bool { return &o.help })},
	{name: "version", help: "what this is", set: yes(func(o *Options) *bool { return &o.version })},

	{name: "trace", value: "SINK[=FILE]", repeats: true, help: sink.Names,
		set: func(o *Options, v string) error { o.Trace = append(o.Trace, v); return nil }},
	{name: "trace-sample", value: "K,N", help: "trace the first K connections, then 1 in N, and all that fail",
		set: parseSample},
	{name: "tree", help: "=all: open the earlier chapters too",
		set: func(o *Options, v string) error {
			if o.All = v == "all"; !o.All {
				return malformedf("--tree=%s: want --tree=all", v)
			}
			return nil
		}},

	{name: "use-dynamic-base-id", refuse: "it needs hot restart"},
	{name: "base-id-path", value: "FILE", refuse: "it needs hot restart"},
	{name: "hot-restart-version", refuse: "it needs hot restart"},
	{name: "socket-path", value: "PATH", refuse: "it needs hot restart"},
	{name: "socket-mode", value: "MODE", refuse: "it needs hot restart"},
	{name: "drain-strategy", value: "S", refuse: "draining is a later chapter's"},
	{name: "bootstrap-version", value: "N", refuse: "the configuration is v3"},
	{name: "allow-unknown-fields", refuse: "write --allow-unknown-static-fields"},
	{name: "reject-unknown-dynamic-fields", refuse: "there is no dynamic configuration yet"},
	{name: "ignore-unknown-dynamic-fields", refuse: "there is no dynamic configuration yet"},
	{name: "admin-address-path", value: "FILE", refuse: "ask /listeners, or the log, for the port"},
	{name: "local-address-ip-version", value: "V", refuse: "nothing here asks for the local address"},
	{name: "file-flush-interval-msec", value: "N", refuse: "access logs are chapter 06's"},
	{name: "enable-fine-grain-logging", refuse: "use --component-log-level"},
	{name: "enable-mutex-tracing", refuse: "Go's own mutex profile does that"},
	{name: "cpuset-threads", refuse: "Go already counts the processors it may use"},
	{name: "disable-extensions", value: "LIST", refuse: "every extension here is part of the walk"},
}

func flagByName(word string) *flag {
	for i := range flags {
		f := &flags[i]
		if word == "--"+f.name || f.short != "" && word == "-"+f.short {
			return f
		}
	}
	return nil
}

func unknownFlag(word string) error {
	text := fmt.Sprintf("PARSE ERROR: Argument: %s\n             Couldn't find match for argument", word)
	for i := range flags {
		if f := &flags[i]; f.refuse == "" && strings.Contains(f.name, strings.Trim(word, "-")) && len(word) > 3 {
			text += "\n             Did you mean --" + f.name + "?"
			break
		}
	}
	return &malformed{text + "\n             --help lists the flags"}
}

func usage(c Chapter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "envoywalk %s: run it without flags for a demo, or with -c envoy.yaml to serve until SIGTERM.\n\n", c.Name)
	for i := range flags {
		f := &flags[i]
		if f.refuse != "" {
			continue
		}
		name := "--" + f.name + " " + f.value
		if f.short != "" {
			name = "-" + f.short + ", " + name
		}
		fmt.Fprintf(&b, "  %-34s %s\n", name, f.help)
	}
	fmt.Fprintf(&b, "\nExit status: 0 well, 1 the configuration or the command line was refused.\n%s\n", c.Try)
	return b.String()
}
