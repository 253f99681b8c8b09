package startup

import (
	"fmt"
	"strings"

	"envoywalk/internal/config"
	"envoywalk/trace/sink"
)

// flag is one flag of the command line. One that would do nothing is refused, never swallowed.
type flag struct {
	name, short string
	value       string // what its value is called; empty for a switch
	help        string
	heading     string // of the part of --help that begins here
	repeats     bool
	refuse      string // why it is not accepted
	set         func(o *Options, value string) error
}

// flags are Envoy's own, with Envoy's meanings, then ours.
var flags = []flag{
	{name: "config-path", short: "c", value: "FILE", heading: "What to serve",
		help: "the configuration: Envoy's own bootstrap, YAML or JSON",
		set:  text(func(o *Options) *string { return &o.ConfigPath })},
	{name: "config-yaml", value: "YAML", help: "inline YAML, merged over --config-path",
		set: text(func(o *Options) *string { return &o.ConfigYAML })},
	{name: "mode", value: "MODE", set: parseMode,
		help: "serve (default); validate: check it and exit; init_only: build and exit"},
	{name: "concurrency", value: "N", help: "worker threads; default: one a processor (a demo has 2)",
		set: number("concurrency", func(o *Options) *int { return &o.Concurrency })},
	{name: "admin-address-path", value: "FILE",
		help: "write the admin's address there: port 0 has become a port",
		set:  text(func(o *Options) *string { return &o.AdminAddressPath })},
	{name: "allow-unknown-static-fields", help: "warn of unknown fields instead of refusing them",
		set: yes(func(o *Options) *bool { return &o.AllowUnknownStatic })},
	{name: "log-level", short: "l", value: "LEVEL", heading: "Its log, on stderr",
		help: "trace, debug, info (default), warning, error, critical, off", set: parseLevel},
	{name: "component-log-level", value: "LIST", help: "such as main:debug,config:trace",
		set: parseComponents},
	{name: "log-format", value: "PATTERN",
		help: "a line's pattern, as spdlog's: %v the message, %t the thread, %n the part",
		set:  text(func(o *Options) *string { return &o.LogFormat })},
	{name: "log-format-escaped", help: "escape control characters in log lines",
		set: yes(func(o *Options) *bool { return &o.LogFormatEscaped })},
	{name: "log-path", value: "FILE", help: "log there instead of stderr",
		set: text(func(o *Options) *string { return &o.LogPath })},
	{name: "base-id", value: "N", heading: "Restarting and draining",
		help: "only logged: without hot restart nothing is shared by it",
		set:  number("base-id", func(o *Options) *int { return &o.BaseID })},
	{name: "restart-epoch", value: "N", help: "0: there is no hot restart yet",
		set: number("restart-epoch", func(o *Options) *int { return &o.RestartEpoch })},
	{name: "drain-time-s", value: "N",
		help: "seconds, default 600: how long a drained listener's connections live",
		set:  number("drain-time-s", func(o *Options) *int { return &o.DrainTime })},
	{name: "shutdown-drain-time-s", value: "N",
		help: "seconds, default 0: at SIGTERM connections may end first (not Envoy's)",
		set:  number("shutdown-drain-time-s", func(o *Options) *int { return &o.ShutdownDrainTime })},
	{name: "parent-shutdown-time-s", value: "N",
		help: "seconds, default 900: only shown, for there is no parent to tell to go",
		set:  number("parent-shutdown-time-s", func(o *Options) *int { return &o.ParentShutdownTime })},
	{name: "disable-hot-restart", help: "what this chapter does anyway",
		set: func(*Options, string) error { return nil }},
	{name: "service-cluster", value: "NAME", heading: "Who it is, at /server_info",
		help: "the node's cluster",
		set:  text(func(o *Options) *string { return &o.ServiceCluster })},
	{name: "service-node", value: "NAME", help: "the node's id",
		set: text(func(o *Options) *string { return &o.ServiceNode })},
	{name: "service-zone", value: "NAME", help: "the node's zone",
		set: text(func(o *Options) *string { return &o.ServiceZone })},
	{name: "trace", value: "SINK[=FILE]", repeats: true, heading: "Watching it work (not Envoy's)",
		help: sink.Names + "; repeatable",
		set:  func(o *Options, v string) error { o.Trace = append(o.Trace, v); return nil }},
	{name: "trace-sample", value: "K,N",
		help: "trace the first K connections, then 1 in N, and all that fail",
		set:  parseSample},
	{name: "tree", value: "all", help: "in --trace tree, open the earlier chapters too",
		set: func(o *Options, v string) error {
			if o.All = v == "all"; !o.All {
				return malformedf("--tree=%s: want --tree=all", v)
			}
			return nil
		}},
	{name: "envoy", short: "e", help: "in the tree, Envoy's symbol and line instead of the Go line",
		set: yes(func(o *Options) *bool { return &o.Envoy })},
	{name: "kinds", value: "LIST", set: parseKinds,
		help: "in the tree, only these: functions, syscalls, posts, loop, threads"},
	{name: "thread", value: "NAME[,NAME]", set: parseThread,
		help: "in the tree, only these threads, such as main,worker_0"},
	{name: "help", short: "h", heading: "About it", help: "this text",
		set: yes(func(o *Options) *bool { return &o.help })},
	{name: "version", help: "what this is", set: yes(func(o *Options) *bool { return &o.version })},

	{name: "use-dynamic-base-id", refuse: "it needs hot restart"},
	{name: "base-id-path", value: "FILE", refuse: "it needs hot restart"},
	{name: "hot-restart-version", refuse: "it needs hot restart"},
	{name: "socket-path", value: "PATH", refuse: "it needs hot restart"},
	{name: "socket-mode", value: "MODE", refuse: "it needs hot restart"},
	{name: "drain-strategy", value: "S", refuse: "HTTP alone asks how soon to go, and that is chapter 07's"},
	{name: "bootstrap-version", value: "N", refuse: "the configuration is v3"},
	{name: "allow-unknown-fields", refuse: "write --allow-unknown-static-fields"},
	{name: "reject-unknown-dynamic-fields", refuse: "there is no dynamic configuration yet"},
	{name: "ignore-unknown-dynamic-fields", refuse: "there is no dynamic configuration yet"},
	{name: "local-address-ip-version", value: "V", refuse: "nothing here asks for the local address"},
	{name: "file-flush-interval-msec", value: "N", refuse: "access logs are written at once"},
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

// unknownFlag says so in the words of Envoy's parser, and what was probably meant.
func unknownFlag(word string) error {
	text := fmt.Sprintf("PARSE ERROR: Argument: %s\n             Couldn't find match for argument", word)
	switch meant := nearestFlag(word); {
	case !strings.HasPrefix(word, "-"):
		text += "\n             A configuration is given as -c " + word
	case meant != "":
		text += "\n             Did you mean --" + meant + "?"
	}
	return &malformed{text + "\n             --help lists the flags"}
}

// nearestFlag is the accepted flag whose name is spelled nearly so, or holds the word; "" if none.
func nearestFlag(word string) string {
	var names []string
	for i := range flags {
		if flags[i].refuse == "" {
			names = append(names, flags[i].name)
		}
	}
	word = strings.Trim(word, "-")
	if meant := config.Nearest(word, names); meant != "" || len(word) < 3 {
		return meant
	}
	for _, name := range names {
		if strings.Contains(name, word) {
			return name
		}
	}
	return ""
}

// usage is --help: what to try first, every flag, and what else the process listens to.
func usage(c Chapter) string {
	var b strings.Builder
	fmt.Fprintf(&b, `envoywalk %s: Envoy 1.17.0's data plane, rebuilt so that it can be watched at work.

Try this:
  (no flags)                           a demo: it starts, shows what every thread did, and ends
  -c envoy.yaml                        serve; Ctrl-C ends it
  -c envoy.yaml --trace tree           serve, and print every function, system call and post
  -c envoy.yaml --mode validate        only say whether the configuration is good, and if not, where
`, c.Name)
	var refused []string
	for i := range flags {
		f := &flags[i]
		if f.refuse != "" {
			refused = append(refused, "--"+f.name)
			continue
		}
		if f.heading != "" {
			fmt.Fprintf(&b, "\n%s:\n", f.heading)
		}
		name := strings.TrimSpace("--" + f.name + " " + f.value)
		if f.short != "" {
			name = "-" + f.short + ", " + name
		}
		fmt.Fprintf(&b, "  %-36s %s\n", name, f.help)
	}
	fmt.Fprintf(&b, `
Signals: SIGTERM and SIGINT (Ctrl-C) end it: it stops accepting, writes what it has read, closes;
  a second one closes at once. SIGUSR1 opens its log files again, SIGHUP is ignored, SIGQUIT and
  SIGABRT tell what every thread is doing, and end it as a crash.
Exit status: 0 well; 1 the command line or the configuration was refused, or a second signal cut
  connections off, stderr says which; 2 a crash.
Envoy's other flags are refused, each with its reason:
%s
%s
`, folded(refused), c.Try)
	return b.String()
}

// folded lists words on lines of at most 100 columns.
func folded(words []string) string {
	var b strings.Builder
	column := 0
	for _, w := range words {
		if column += len(w) + 1; column > 96 || b.Len() == 0 {
			b.WriteString("\n ")
			column = len(w) + 2
		}
		b.WriteString(" " + w)
	}
	return strings.TrimPrefix(b.String(), "\n") + "\n"
}
