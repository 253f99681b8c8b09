package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// small is one run of the whole experiment, which several tests look at.
var small = sync.OnceValues(func() (*Report, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	l := &Lab{Options: Options{Workers: 3, Connections: 30, Rounds: 1, Modes: Modes}, Root: "../../..", Dir: dir}
	return l.Run(ctx)
})

func smallReport(t *testing.T) *Report {
	t.Helper()
	r, err := small()
	if errors.Is(err, witness.ErrCannotLook) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryConnectionIsAcceptedAndServedOnceByBothWitnesses(t *testing.T) {
	r := smallReport(t)
	for _, d := range r.Disagreements() {
		t.Errorf("%s, %s: %s", d.Run.Arrangement, d.Run.Mode, d.En)
	}
	for _, run := range r.Runs {
		if sum(run.Accepted) != 30 || sum(run.Served) != 30 || run.Answered != 30 || len(run.ports) != 30 {
			t.Errorf("%s, %s: %v accepted, %v served, %d answered, %d ports", run.Arrangement, run.Mode,
				run.Accepted, run.Served, run.Answered, len(run.ports))
		}
		if run.Mode == Held && !slices.Equal(run.Held, run.Served) {
			t.Errorf("%s: the kernel sees %v, the spans tell %v", run.Arrangement, run.Held, run.Served)
		}
		if got := sum(run.Told) - sum(run.Wasted); got < 1 || got > 30 || len(run.Switches) != len(run.Accepted) {
			t.Errorf("%s, %s: told %v, wasted %v, sleeps %v", run.Arrangement, run.Mode, run.Told, run.Wasted, run.Switches)
		}
	}
	if len(r.Runs) != 5+6+5 {
		t.Errorf("%d runs", len(r.Runs))
	}
}

func TestEachArrangementIsWhatItsNameSays(t *testing.T) {
	for _, run := range smallReport(t).Runs {
		var exclusive, edge int
		for _, mask := range run.Look.Masks {
			exclusive += int(mask >> 28 & 1)
			edge += int(mask >> 31)
		}
		got := [4]int{run.Look.Sockets, run.Look.Sets, exclusive, edge}
		want := map[string][4]int{"shared": {1, 3, 0, 0}, "reuse_port": {3, 3, 0, 0}, "exclusive": {1, 3, 3, 0},
			"exact": {1, 3, 0, 0}, "edge": {1, 3, 0, 3}, "alone": {1, 1, 0, 0}}[run.Arrangement]
		if got != want {
			t.Errorf("%s: sockets, epolls, exclusive, edge %v, want %v", run.Arrangement, got, want)
		}
	}
}

func TestOnlyExactBalanceHandsOverAndThenSharesAreEqual(t *testing.T) {
	for _, run := range smallReport(t).Runs {
		moved := !slices.Equal(run.Accepted, run.Served)
		switch {
		case run.Arrangement != "exact":
			if run.Posted != 0 || moved {
				t.Errorf("%s, %s: %d handed over, %v became %v", run.Arrangement, run.Mode, run.Posted, run.Accepted, run.Served)
			}
		case run.Mode == Held && slices.Max(run.Served) != slices.Min(run.Served):
			t.Errorf("exact, held: %v", run.Served)
		case moved && run.Posted == 0:
			t.Errorf("exact, %s: %v became %v by itself", run.Mode, run.Accepted, run.Served)
		}
	}
}

func TestWithASocketEachNobodyIsToldOfWhatIsNotTheirs(t *testing.T) {
	for _, run := range smallReport(t).Runs {
		if run.Arrangement == "reuse_port" && sum(run.Wasted) != 0 {
			t.Errorf("%s: %v for nothing", run.Mode, run.Wasted)
		}
	}
}

func TestRoundsTakeTurns(t *testing.T) {
	l := &Lab{Options: Options{Rounds: 2, Modes: []string{Burst, Calm}}}
	var got []string
	for _, p := range l.plan() {
		got = append(got, fmt.Sprint(p.round, p.mode[:1], p.arrangement.Name))
	}
	want := "0cshared 0creuse_port 0cexclusive 0cexact 0cedge 0bshared 0breuse_port 0bexclusive 0bexact 0bedge 0balone " +
		"1creuse_port 1cexclusive 1cexact 1cedge 1cshared 1breuse_port 1bexclusive 1bexact 1bedge 1balone 1bshared"
	if strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
}

func TestWhatCannotBeDoneIsRefused(t *testing.T) {
	good := Options{Workers: 4, Connections: 100, Rounds: 5, Modes: Modes}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Options){
		func(o *Options) { o.Workers = 0 }, func(o *Options) { o.Workers = MostWorkers + 1 },
		func(o *Options) { o.Connections = 0 }, func(o *Options) { o.Connections = MostConnections + 1 },
		func(o *Options) { o.Rounds = 0 }, func(o *Options) { o.Modes = []string{"storm"} },
	} {
		o := good
		if change(&o); o.Check() == nil {
			t.Errorf("%+v passes", o)
		}
	}
}

func TestAKernelThatWillNotTellIsNoResult(t *testing.T) {
	dir := t.TempDir()
	l := &Lab{Options: Options{Workers: 1, Connections: 1, Rounds: 1, Modes: []string{Calm}}, Root: "../../..", Dir: dir,
		Witness: func(int) (*witness.Process, error) { return nil, witness.ErrCannotLook }}
	if _, err := l.Run(t.Context()); !errors.Is(err, witness.ErrCannotLook) {
		t.Error(err)
	}
}

func TestATraceWithGapsIsNotCounted(t *testing.T) {
	for said, gaps := range map[string]bool{
		"trace: wrote 10 spans, 1 kB\n": false,
		"trace: dropped 7 records that the sink could not keep up with; wrote 10 spans, 1 kB\n": true,
	} {
		if droppedLine.MatchString(said) != gaps {
			t.Errorf("%q", said)
		}
	}
}

func TestFiguresAreThoseOfTheTextbook(t *testing.T) {
	for _, c := range []struct {
		shares     []int
		jain, most float64
	}{{[]int{5, 5, 5, 5}, 1, 1}, {[]int{8, 0, 0, 0}, .25, 4}, {[]int{3, 1}, .8, 1.5}, {[]int{0, 0}, 1, 1}} {
		if j, m := jain(c.shares), maxToMean(c.shares); j != c.jain || m != c.most {
			t.Errorf("%v: Jain %v, max to mean %v", c.shares, j, m)
		}
	}
	if s := spread([]float64{3, 1, 2, 10}); s != (Spread{1, 2.5, 10}) {
		t.Error(s)
	}
}

// made is a report as if measured: every arrangement's figures are those of shared but for what change does.
func made(rounds int, change func(*Run)) *Report {
	var runs []*Run
	l := &Lab{Options: Options{Workers: 4, Connections: 100, Rounds: rounds, Modes: Modes}}
	for _, p := range l.plan() {
		workers := p.arrangement.workers(4)
		share := slices.Repeat([]int{100 / workers}, workers)
		r := &Run{Mode: p.mode, Arrangement: p.arrangement.Name, Round: p.round, P50: time.Millisecond, P95: time.Millisecond,
			Took: time.Second, Switches: []uint64{100}, Counts: Counts{Accepted: share, Served: share,
				Told: slices.Repeat([]int{30}, workers), Wasted: make([]int, workers), Woken: share}}
		change(r)
		runs = append(runs, r)
	}
	return newReport(Machine{Processors: 2, Kernel: "6.1", System: "linux/amd64", Load: 9.5}, l.Options, runs)
}

func TestTheAnswerFollowsWhatWasMeasured(t *testing.T) {
	slow := func(name string, factor time.Duration) func(*Run) {
		return func(r *Run) {
			if r.Arrangement == name {
				r.Took = r.Took * factor / 4
			}
		}
	}
	for _, c := range []struct {
		what   string
		rounds int
		change func(*Run)
		says   string
	}{
		{"one alone is slower", enough, slow("alone", 8), "is borne out here: one worker alone took longer to answer the burst than 4 that all watch, 2.00 times"},
		{"one alone is faster", enough, slow("alone", 2), "is not borne out here: one worker alone answered the burst faster"},
		{"no difference", enough, slow("alone", 4), "That it raises concurrency was not seen here"},
		{"four rounds are too few", enough - 1, slow("alone", 8), "Whether it raises concurrency is not settled"},
		{"four rounds are said to be", enough - 1, slow("alone", 8), "4 rounds are too few for a conclusion"},
		{"own sockets are slower", enough, slow("reuse_port", 8), "they watch the same socket did count"},
		{"own sockets are faster", enough, slow("reuse_port", 2), "is not what helped"},
		{"own sockets are the same", enough, slow("", 4), "made no difference that these rounds show"},
		{"nothing wasted", enough, slow("", 4), "wake-ups for nothing, was not seen here"},
		{"some wasted", enough, func(r *Run) { r.Wasted = []int{7} }, "7 of 120 times that epoll_pwait told a worker"},
		{"more sleeps", enough, func(r *Run) {
			if r.Arrangement == "shared" {
				r.Switches = []uint64{900}
			}
		}, "900 times, with a socket each 100 times; more in every round"},
		{"fewer sleeps", enough, func(r *Run) {
			if r.Arrangement == "shared" {
				r.Switches = []uint64{9}
			}
		}, "inside epoll_pwait was not seen here"},
		{"one takes all", enough, func(r *Run) {
			if r.Arrangement == "shared" {
				r.Accepted = []int{100, 0, 0, 0}
			}
		}, "one worker took every connection"},
		{"exact is not", enough, func(r *Run) {
			if r.Arrangement == "exact" {
				r.Served = []int{40, 20, 20, 20}
			}
		}, "was not exact here"},
		{"exact is", enough, slow("", 4), "did what it says"},
		{"exclusive is uneven", enough, func(r *Run) {
			if r.Arrangement == "exclusive" {
				r.Served = []int{97, 1, 1, 1}
			}
		}, "less evenly in every round (Jain 0.27 against 1.00)"},
		{"reuse_port is not for nothing, either", enough, func(r *Run) {
			if r.Arrangement == "reuse_port" {
				r.Wasted = []int{2, 0, 0, 0}
			}
		}, "With a socket each, 2 wake-ups were for nothing"},
		{"edge wastes more", enough, func(r *Run) {
			if r.Arrangement == "edge" {
				r.Wasted = []int{9}
			}
		}, "With EPOLLET: wake-ups for nothing more than shared in every round (9 against 0); sleeps not clearly"},
	} {
		var en string
		for _, s := range made(c.rounds, c.change).Answer() {
			en += s.En + "\n"
			sound(t, s)
		}
		if !strings.Contains(en, c.says) {
			t.Errorf("%s: it does not say %q:\n%s", c.what, c.says, en)
		}
	}
}

func TestAFewRoundsSayFirstThatTheyAreTooFewAndConcludeNothing(t *testing.T) {
	for rounds, first := range map[int]string{1: "1 round is too few for a conclusion", 2: "2 rounds are too few for a conclusion"} {
		all := made(rounds, func(r *Run) {
			if r.Arrangement == "shared" {
				r.Took, r.Accepted, r.Switches = r.Took*4, []int{100, 0, 0, 0}, []uint64{900}
			}
		}).Answer()
		if !strings.HasPrefix(all[0].En, first) || !strings.HasPrefix(all[0].Zh, fmt.Sprintf("只有 %d 轮，下不了结论", rounds)) {
			t.Errorf("the first is %q, %q", all[0].En, all[0].Zh)
		}
		for _, s := range all[1:] {
			sound(t, s)
			for _, concludes := range []string{"every round", "these rounds do not", "not clearly", "was not seen", "每一轮", "这几轮"} {
				if strings.Contains(s.En+s.Zh, concludes) && !strings.Contains(s.En, "need not be") && !strings.Contains(s.En, "for nothing, was") {
					t.Errorf("%d rounds conclude: %s\n%s", rounds, s.En, s.Zh)
				}
			}
		}
	}
}

func TestOneIsNotSpokenOfAsSeveral(t *testing.T) {
	for n, want := range map[int]string{1: "1 worker; 1 client in a run; 1 round", 2: "2 workers; 2 clients in a run; 2 rounds"} {
		r := &Report{Workers: n, Connections: n, Rounds: n}
		if got := r.Setup(); got.En != want || !han.MatchString(got.Zh) {
			t.Errorf("%q", got)
		}
	}
}

func TestWhatWasNotRunIsNotSpokenOf(t *testing.T) {
	r := made(enough, func(*Run) {})
	r.Modes = slices.DeleteFunc(r.Modes, func(t Table) bool { return t.Mode != Calm })
	var en string
	for _, s := range r.Answer() {
		en += s.En
		sound(t, s)
	}
	if !strings.Contains(en, "was not looked at here") || strings.Contains(en, "Exact balance") || strings.Contains(en, "In the burst") {
		t.Error(en)
	}
}

var han = regexp.MustCompile(`\p{Han}`)

// sound: both languages are there, with the same numbers, and nothing is badly formatted.
func sound(t *testing.T, w exercise.Words) {
	t.Helper()
	if w.En == "" || !han.MatchString(w.Zh) || han.MatchString(w.En) || strings.Contains(w.En+w.Zh, "%!") {
		t.Errorf("%q\n%q", w.En, w.Zh)
	}
	numbers := regexp.MustCompile(`\d+(\.\d+)?`)
	a, b := numbers.FindAllString(w.En, -1), numbers.FindAllString(w.Zh, -1)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) && !strings.Contains(w.En, "One worker") {
		t.Errorf("%v in English, %v in Chinese:\n%s\n%s", a, b, w.En, w.Zh)
	}
}

func TestEverythingIsSaidInBothLanguages(t *testing.T) {
	for _, a := range Arrangements {
		sound(t, a.Means)
		if a.Where.En == "" || a.Where.Zh == "" {
			t.Errorf("%s: where?", a.Name)
		}
		if n := strings.Count(a.Means.En, ". ") + 1; n != 3 && a.Name != "exact" {
			t.Errorf("%s is explained in %d sentences", a.Name, n)
		}
	}
	for mode, w := range modeTexts {
		sound(t, w[0])
		sound(t, w[1])
		if !slices.Contains(Modes, mode) {
			t.Error(mode)
		}
	}
	for _, m := range Measures {
		if m.Name.En == "" || !han.MatchString(m.Name.Zh) {
			t.Errorf("%+v", m.Name)
		}
	}
	for _, r := range readings {
		if r.What.En == "" || !han.MatchString(r.What.Zh) {
			t.Errorf("%+v", r)
		}
	}
}

func TestThePageIsOneFileThatAsksForNothing(t *testing.T) {
	r := made(3, func(r *Run) {
		if r.Arrangement == "exact" {
			r.Accepted = []int{100, 0, 0, 0}
		}
	})
	for _, lang := range []string{"en", "zh"} {
		var b bytes.Buffer
		if err := r.Page(&b, lang); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, has := range []string{`<html lang="` + lang + `">`, `id="in-` + lang + `" checked`, "default-src 'none'; style-src 'sha256-",
			"EPOLLEXCLUSIVE", "300→75", r.Answer()[0].Zh} {
			if !strings.Contains(strings.ReplaceAll(text, "&#39;", "'"), has) {
				t.Errorf("%s: no %q", lang, has)
			}
		}
		for _, hasNot := range []string{"<script", "style=", "<link", "@import", "url(", " onclick", "ZgotmplZ", "%!", "<no value>"} {
			if strings.Contains(text, hasNot) {
				t.Errorf("%s: %q", lang, hasNot)
			}
		}
		if en, zh := strings.Count(text, `<span lang="en">`), strings.Count(text, `<span lang="zh">`); en != zh || en < 60 {
			t.Errorf("%d spans in English, %d in Chinese", en, zh)
		}
	}
}

func TestThePageSaysWhenTheWitnessesDoNotAgree(t *testing.T) {
	r := made(1, func(r *Run) {
		if r.Arrangement == "edge" && r.Mode == Calm {
			r.Disagree = []exercise.Words{{En: "one is <missing>", Zh: "少了一个"}}
		}
	})
	var b bytes.Buffer
	if err := r.Page(&b, "en"); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.Contains(text, "one is &lt;missing&gt;") || strings.Contains(text, "Spans and kernel agree") {
		t.Error(text)
	}
	if r.WithAnswer().Agree {
		t.Error("a program is told that they agree")
	}
}

func TestTheReportIsJSONThatHoldsEveryRun(t *testing.T) {
	text, err := json.Marshal(made(2, func(*Run) {}).WithAnswer())
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Runs   []map[string]any
		Answer []map[string]string
		Modes  []struct {
			Mode string
			Rows []map[string]any
		}
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Runs) != 32 || len(back.Modes) != 3 || len(back.Modes[1].Rows) != 6 || back.Answer[0]["zh"] == "" {
		t.Errorf("%.600s", text)
	}
}
