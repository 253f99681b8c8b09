package main

import "envoywalk/trace/sink"

var english = text{
	lang: "en",
	help: `envoywalk rebuilds Envoy's data plane in Go, one chapter of the series at a time,
so that you can watch it work. This command is the way in.

See it
  go tool book run 04                    a chapter's own demo, and the tree of what it did
  go tool book run 04 -- -c envoy.yaml   the same program, serving with your configuration
  go tool book read 04 --html            the article's sections, our Go and Envoy's place, side by side
  go tool book lab accept                why every worker watches every listen fd: an experiment

Try it: exercises, judged by the kernel and by the trace
  go tool book next                      what to do now
  go tool book check 03/reuseport        does your answer hold? What does not, and why
  go tool book watch 03/reuseport        the same at every save
  go tool book predict 05/half-close     asks you first, and runs it then
  go tool book hint 03/reuseport         one hint more, three at most
  go tool book diff 03/reuseport         what your run does differently from the reference
  go tool book solution 03/reuseport     after a pass, or with --give-up
  go tool book reset 03/reuseport        the starter again; your file is kept
  go tool book progress                  where you are

Teach it
  go tool book teach 03                  a lesson of the chapter: minutes, demo, questions
  go tool book class DIR                 who is where, from their progress files; nothing is sent

Trust it, and take it elsewhere
  go tool book receipt 04                do the trace and the kernel tell the same story?
  go tool book tree 04                   the tree alone, at 100 columns, without colour
  go tool book export a.json --to html   a saved trace as a page, a tree, for Perfetto, as a diagram
  go tool book import nginx.strace       what strace saw of any process, as a trace like ours
  go tool book diff a.html b.html        what one run did and the other did not; never timing
  go tool book doctor                    what this machine has, and what it lacks
  go tool book translations              is every Chinese page up to date?
  go tool book help check                more about one command
  go tool book version

An exercise is named 03/reuseport, or not at all in its own folder. What stands after -- goes
to the chapter's program. --lang en|zh chooses the language; COLUMNS and NO_COLOR are obeyed.

A newcomer runs 00 first (two threads, two loops), then 01, and reads the chapter's
README beside it.

Exit codes: 0 pass; 1 not yet; 2 could not look (something is lacking, or the command
line was not understood: never a pass); 3 our fault. run passes on its program's own.
`,
	usage: map[string]string{
		"run": `go tool book run NN [-- flags of the chapter's program]
go tool book run NN/name[/a] [-- flags of the program]

Builds the chapter's program and runs it in this folder. Without -c it plays a demo by
itself and ends; with -c it serves until you stop it with Ctrl-C.

With an exercise's name it runs what the exercise is about: the chapter with your answer in it, or, of
a hunt, the mutant a. Without flags that program gets the exercise's own configuration and prints its
tree when you stop it; --trace html=a.html, say, shows it as a page:

  go tool book run 02/hunt/a -- --trace html=a.html -c chapters/02-listen-socket/exercises/hunt/envoy.yaml`,
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

Prints the tree of a real run; of the program's flags, it takes these itself:

  -e                     Envoy's symbol and line instead of the Go line
  --kinds LIST           only functions, syscalls, posts, loop, threads, or 1 to 5
  --thread NAME[,NAME]   only these threads, such as main,worker_0

--write puts it into the chapter's README.md and
README.zh.md, between <!-- tree:NN --> and <!-- /tree -->. --check runs again and compares
with what stands there: what main, the workers and the others each do, in the order in
which they first do it. Numbers, turns, waits and wake-ups are left out, for they differ
from run to run. One of the tries must be the same.`,
		"translations": `go tool book translations [--write]

Checks that every *.zh.md was made from its *.md as it is now; the first line of each says which revision that
was. --write says so for all of them: read both pages first.`,
		"export": `go tool book export FILE [--to FORMAT] [-o OUT]

Makes of a saved trace (--trace json=, otlp= or html=FILE, a collector's file of OTLP as JSON, or
import's) what another sink would have written. FORMAT, without which OUT's ending decides:

  tree       lines for a terminal, with the tree's flags:
               -e             Envoy's symbol and line instead of the Go line
               --kinds LIST   only functions, syscalls, posts, loop, threads, or 1 to 5
               --thread NAME  only this thread, such as main or worker_0; repeatable
               --all          open the earlier chapters too
  html       the page (-o a.html)
  json       spans as stdouttrace writes them, one a line
  otlp       OTLP as JSON, one batch a line; without -o and with OTEL_EXPORTER_OTLP_ENDPOINT
             set, pushed to that collector
  chrome     trace events for https://ui.perfetto.dev and https://www.speedscope.app
  mermaid    a sequence diagram (-o a.mmd): threads, posts, and some sixty steps at most
  strace     system calls as strace -f -ttt -y spells them (-o a.strace)

Without -o it goes to standard output.`,
		"import": `go tool book import STRACE... [-o OUT] [--to FORMAT] [--name NAME]

Makes a trace like ours of what strace saw of any process, such as nginx, HAProxy, redis or a
real Envoy, so that you can lay it beside ours: a lane per thread, a span per system call.

  strace -f -ttt -y -T -o nginx.strace nginx ...      (one file)
  strace -ff -ttt -y -T -o nginx.strace nginx ...     (nginx.strace.*: one per thread)

-ttt tells when; without -T nothing tells how long a wait lasted; -y and -yy tell what was
open before strace came. - reads standard input.

  -o OUT         the file to write; without it, standard output
  --to FORMAT    ` + sink.Names + `; OUT's ending decides, else tree
  --name NAME    what it is called; without it, what was executed first
  --kinds LIST, --thread NAME[,NAME]   as in a tree (help tree)

Nothing is guessed. There are no functions and no posts, for strace sees none. A turn is what
a thread did from one wait to the next on what it waits on most; it is named as derived. C1 is
the first fd that an accept made, until its last close. A turn is linked to the write that woke
it where nobody else can have done it. Lines that are not understood are counted and told.`,
		"diff": `go tool book diff A B [--calls]
go tool book diff [NN/name[/a]]

Compares two saved traces (--trace json=, otlp= or html=FILE, or import's): what A did and B
did not (-), what B did and A did not (+), and what both did in another order although the order
is fixed (~). What is inside of a line is only counted. Two steps are the same where their
thread's role, the functions around them, their name, their fd's label and, of a call, its numbers
and flags are.

Timing is never a difference: turns, waits, wake-ups and looks that found nothing do not count,
nor does it matter which worker the kernel gave a connection to.

  --calls    system calls alone, whatever functions made them, so that you can lay a real
             Envoy, nginx or HAProxy (go tool book import) over ours

With an exercise's name, A is the reference, a run as it should be, and B is your last checked run. Of a
hunt, A is the chapter as it is and B the mutant a.

Exit codes: 0 the same; 1 different; 2 could not look.`,
		"lab": `go tool book lab accept [flags]

Asks the machine what the article guesses: why does every worker watch every listen fd? The same
clients come to the same server (chapter 06's) under five arrangements, taking turns:

  shared      one socket, watched by all workers, level-triggered: Envoy 1.17's default
  reuse_port  a socket for each worker (reuse_port: true)
  exclusive   the shared socket, watched with EPOLLEXCLUSIVE; Envoy has no setting for it
  exact       the shared socket, and each connection is handed to the worker that has the fewest
              (connection_balance_config: { exact_balance: {} })
  edge        the shared socket, edge-triggered; Envoy has no setting for it

and, for the burst, one worker alone. Printed are: which worker got how many, how even that is,
wake-ups for nothing, how often the workers slept (by the kernel), and how long an answer took
as a ratio to shared in the same round. Counts come from the spans and from the kernel, and must
agree. It needs no privilege.

  --workers N        4: so many workers
  --connections N    100: so many clients in a run, 500 at most
  --rounds N         5: every arrangement so often; at least 5 before a difference is called one
  --mode LIST        calm (one after the other), burst (all at once), held (they stay); all three
  --quick            one round of 40 clients: to see that it works, not to learn from
  --html FILE        the report as a page as well, in both languages
  --json             the report, with every run, as JSON

Exit codes: 0 the witnesses agree; 1 they do not; 2 could not look.`,
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
	noLab:     "Could not look: %v",
	labTitle:  "The accept lab",
	labAlone:  "alone (one worker): answer, median %s; until the last %s",
	labRun:    "run %d of %d: round %d, %s, %s",
	labRound:  "round %d: %d of %d runs are made",
	labNext: "As a page, with what each arrangement means: --html accept.html. What it shows and what it does not: " +
		"docs/accept-lab.md",
	upToDate: "%s: the tree is what a run shows.",
	stale: "%s: the tree is not what a run shows (%d runs). First difference:\n" +
		"    there  %s\n    now    %s\ngo tool book tree %s --write records it again.",
	runFailed:           "Could not look: the run of %s failed: %v\n%s",
	noExport:            "Could not export: %v",
	exportOne:           "export takes one file.",
	exportSame:          "%s would be overwritten: give another file to -o",
	exportCut:           "%s: %s",
	wholeTree:           "--write and --check are about the whole tree: give them without -e, --kinds and --thread.",
	noImport:            "Could not import: %v",
	importHas:           "%s: %d lines, %d system calls, %d threads, %d connections",
	importGoesOn:        "%d lines read ...",
	importNotUnderstood: "not understood, and shown nowhere: %d lines\n    %s",
	importUnfinished:    "%d calls never returned: the process or strace ended before",
	importSignals:       "%d signals came; a trace has no place for a signal",
	importNoTimes:       "no line has a time (strace -ttt): the order is right, every time and length is not",
	importNoDurations: "no call has a length (strace -T): a wait is taken to last until its thread's next call, " +
		"any other to take no time",
	diffTwo:       "diff takes two saved traces, not %d.",
	diffNotRead:   "Could not look: %v",
	diffCut:       "%s: %s",
	diffNothing:   "Could not look: neither has anything that can be compared. With --calls that is system calls on fds.",
	has:           "ok  ",
	lacks:         "--  ",
	doctorGo:      "Go",
	doctorSystem:  "system",
	doctorWitness: "a child's sockets, for exercises",
	doctorStrace:  "strace, for receipts",
	doctorGCC:     "gcc, for -race",
	doctorKernel:  "kernel",
	doctorFiles:   "open files",
	doctorModule:  "envoywalk",
	doctorAll:     "Everything is there.",
	doctorNotLooked: "What is marked -- could not be looked at, and what needs it is no pass. " +
		"The rest works without.",
	oldGo:            "%s; the walk needs Go 1.26 or newer",
	notLinux:         "%s: the chapters are for Linux on amd64 or arm64; here you can only read",
	fewFiles:         "%s; soak tests want 10000 or more: ulimit -n 10000",
	stalePage:        "older than its source: %s",
	translationsDone: "%d translations, %d older than their source",
}
