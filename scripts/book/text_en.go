package main

var english = text{
	help: `envoywalk rebuilds Envoy's data plane in Go, one chapter of the series at a time,
so that you can watch it work. This command is the way in.

  go tool book run 04                    a chapter's own demo, and the tree of what it did
  go tool book run 04 -- -c envoy.yaml   the same program, serving with your configuration
  go tool book receipt 04                do the trace and the kernel tell the same story?
  go tool book tree 04                   the tree alone, at 100 columns, without colour
  go tool book doctor                    what this machine has, and what it lacks
  go tool book translations              is every Chinese page up to date?
  go tool book help receipt              more about one command
  go tool book version

What stands after -- goes to the chapter's program. --lang en|zh chooses the language of this text.

A newcomer runs 00 first (two threads, two loops), then 01, and reads the chapter's
README beside it.

Exit codes: 0 pass; 1 not yet; 2 could not look (something is lacking, or the command
line was not understood: never a pass); 3 our fault. run passes on its program's own.
`,
	usage: map[string]string{
		"run": `go tool book run NN [-- flags of the chapter's program]

Builds the chapter's program and runs it in this folder. Without -c it plays a demo by
itself and ends; with -c it serves until you stop it with Ctrl-C.`,
		"receipt": `go tool book receipt NN [flags] [-- flags of the chapter's program]

Runs the program under strace and holds its trace against what the kernel was really
asked: thread by thread, the same calls, the same first argument, the same result, the
same order, on every fd that is ours while it is ours. Calls of the Go runtime are told
apart by thread and by who made the fd.

  --json               the report as JSON
  --keep DIR           keep strace.txt and trace.json there
  --timeout 1m         give up after so long
  --inject SPEC        let strace answer in the kernel's place, such as
                       accept4:error=EMFILE:when=1; repeatable
Where the program serves (-c), it is sent SIGTERM after its clients:
  --connect ADDR       a client connects there, host:port or unix:/path; repeatable
  --connections N      so many clients, one after the other, spread over the addresses
  --pace 5ms           pause between them: who is faster than the trace can be written
                       makes it drop records
  --send TEXT          what each says, e.g. 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  --half-close         each says that it has finished, and goes on reading
  --reset              each resets its connection when what it said has come back
  --upstream ADDR      this command listens there and sends back what it gets, so that a
                       proxy has somebody to talk to; repeatable

--trace-sample leaves spans out on purpose: a receipt of a sampled run does not agree.`,
		"tree": `go tool book tree NN [--write | --check [--tries 10]] [-- flags of the program]

Prints the tree of a real run. --write puts it into the chapter's README.md and
README.zh.md, between <!-- tree:NN --> and <!-- /tree -->. --check runs again and compares
with what stands there: what main, the workers and the others each do, in the order in
which they first do it. Numbers, turns, waits and wake-ups are left out, for they differ
from run to run. One of the tries must be the same.`,
		"translations": `go tool book translations [--write]

Checks that every *.zh.md was made from its *.md as it is now; the first line of each says which revision that
was. --write says so for all of them: read both pages first.`,
		"doctor":  "go tool book doctor\n\nSays what this machine has of what the walk needs.",
		"version": "go tool book version\n\nWhich envoywalk, which Envoy it rebuilds, which Go.",
		"help":    "go tool book help [command]",
	},
	noSuchLang:    "--lang %s: there is en and zh.",
	noSuchCommand: "There is no command %q: see go tool book help.",
	noModule:      "This is not inside envoywalk: its go.mod is neither here nor above.",
	noSuchChapter: "There is no chapter %s. There are: %s",
	noBuild:       "Chapter %s does not build: %w",
	noStrace: "Could not look: strace cannot be used here (%v).\n" +
		"Install strace; in a container, allow ptrace (--cap-add SYS_PTRACE).",
	noRun:     "Could not look: the run of %s failed: %v\n%s",
	noPair:    "Could not look: nothing to compare (%v). The program's last words:\n%s",
	endedWith: "(the program ended with %v; its last words:\n%s)",
	ourFault:  "This is our fault: %v",
	noMarkers: "%s: no <!-- tree:%s --> ... <!-- /tree -->.",
	written:   "%s: written.",
	upToDate:  "%s: the tree is what a run shows.",
	stale: "%s: the tree is not what a run shows (%d runs). First difference:\n" +
		"    there  %s\n    now    %s\ngo tool book tree %s --write records it again.",
	runFailed:    "Could not look: the run of %s failed: %v\n%s",
	has:          "ok  ",
	lacks:        "--  ",
	doctorGo:     "Go",
	doctorSystem: "system",
	doctorStrace: "strace, for receipts",
	doctorGCC:    "gcc, for -race",
	doctorKernel: "kernel",
	doctorFiles:  "open files",
	doctorModule: "envoywalk",
	doctorAll:    "Everything is there.",
	doctorNotLooked: "What is marked -- could not be looked at, and what needs it is no pass. " +
		"The rest works without.",
	oldGo:            "%s; the walk needs Go 1.26 or newer",
	notLinux:         "%s: the chapters are for Linux on amd64 or arm64; here you can only read",
	fewFiles:         "%s; soak tests want 10000 or more: ulimit -n 10000",
	stalePage:        "older than its source: %s",
	translationsDone: "%d translations, %d older than their source",
}
