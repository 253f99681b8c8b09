package lab

import (
	"slices"
)

// Report is what came of all runs.
type Report struct {
	Machine     Machine `json:"machine"`
	Workers     int     `json:"workers"`
	Connections int     `json:"connections"`
	Rounds      int     `json:"rounds"`
	Modes       []Table `json:"modes"`
	Runs        []*Run  `json:"runs"`
}

// Table is one mode: a row per arrangement.
type Table struct {
	Mode string `json:"mode"`
	Rows []Row  `json:"rows"`
}

// Row is one arrangement in one mode, over all rounds. What stands in a slice has the worker's number as its
// index; what is a Spread is of one round each.
type Row struct {
	Arrangement string `json:"arrangement"`
	Accepted    []int  `json:"accepted"` // of all rounds
	Served      []int  `json:"served"`
	Posted      Spread `json:"handed_over"`
	Busiest     Spread `json:"max_to_mean"` // of what the workers serve: 1 is even
	Jain        Spread `json:"jain"`        // 1 is even, 1/workers is all on one
	TookPart    Spread `json:"workers_that_accepted"`
	Told        Spread `json:"told"`
	Wasted      Spread `json:"wasted"`
	Woken       Spread `json:"woken"`
	Switches    Spread `json:"switches"`
	P50         Spread `json:"p50_us"`
	P50Ratio    Spread `json:"p50_to_shared"` // of the same round
	P95Ratio    Spread `json:"p95_to_shared"`
	TookRatio   Spread `json:"took_to_shared"`

	runs []*Run
}

// Spread is a figure over the rounds: the median, and how far apart they are.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func spread(each []float64) Spread {
	if len(each) == 0 {
		return Spread{}
	}
	slices.Sort(each)
	mid := each[len(each)/2]
	if len(each)%2 == 0 {
		mid = (each[len(each)/2-1] + mid) / 2
	}
	return Spread{each[0], mid, each[len(each)-1]}
}

// jain is Jain's fairness index of shares: 1 if all are equal, 1/n if one has all.
func jain(shares []int) float64 {
	total, squares := 0.0, 0.0
	for _, x := range shares {
		total += float64(x)
		squares += float64(x) * float64(x)
	}
	if squares == 0 {
		return 1
	}
	return total * total / (float64(len(shares)) * squares)
}

func maxToMean(shares []int) float64 {
	if total := sum(shares); total > 0 {
		return float64(slices.Max(shares)) * float64(len(shares)) / float64(total)
	}
	return 1
}

func newReport(m Machine, o Options, runs []*Run) *Report {
	r := &Report{Machine: m, Workers: o.Workers, Connections: o.Connections, Rounds: o.Rounds, Runs: runs}
	for _, mode := range Modes {
		t := Table{Mode: mode}
		base := of(runs, mode, Arrangements[0].Name)
		for i := range Arrangements {
			if mine := of(runs, mode, Arrangements[i].Name); len(mine) > 0 {
				t.Rows = append(t.Rows, newRow(mine, base))
			}
		}
		if len(t.Rows) > 0 {
			r.Modes = append(r.Modes, t)
		}
	}
	return r
}

// of are the runs of one arrangement in one mode, by round.
func of(runs []*Run, mode, arrangement string) (mine []*Run) {
	for _, r := range runs {
		if r.Mode == mode && r.Arrangement == arrangement {
			mine = append(mine, r)
		}
	}
	slices.SortFunc(mine, func(a, b *Run) int { return a.Round - b.Round })
	return mine
}

func newRow(mine, base []*Run) Row {
	row := Row{Arrangement: mine[0].Arrangement, runs: mine,
		Accepted: make([]int, len(mine[0].Accepted)), Served: make([]int, len(mine[0].Served))}
	for _, r := range mine {
		add(row.Accepted, r.Accepted)
		add(row.Served, r.Served)
	}
	over := func(figure func(*Run) float64) Spread { return spread(each(mine, figure)) }
	ratio := func(figure func(*Run) float64) Spread { return spread(ratios(mine, base, figure)) }
	row.Posted, row.Told, row.Wasted = over(posted), over(told), over(wasted)
	row.Woken, row.Switches, row.TookPart = over(woken), over(switches), over(tookPart)
	row.Jain, row.Busiest = over(evenness), over(func(r *Run) float64 { return maxToMean(r.Served) })
	row.P50 = over(func(r *Run) float64 { return p50(r) / 1e3 })
	row.P50Ratio, row.P95Ratio, row.TookRatio = ratio(p50), ratio(p95), ratio(took)
	return row
}

func add(to, counts []int) {
	for i, n := range counts {
		to[i] += n
	}
}

func each(runs []*Run, figure func(*Run) float64) (all []float64) {
	for _, r := range runs {
		all = append(all, figure(r))
	}
	return all
}

// ratios compare runs of the same round: what else the machine did then, it did to both.
func ratios(mine, base []*Run, figure func(*Run) float64) (all []float64) {
	for _, r := range mine {
		for _, b := range base {
			if b.Round == r.Round && figure(b) > 0 {
				all = append(all, figure(r)/figure(b))
			}
		}
	}
	return all
}

// The figures of one run.
func posted(r *Run) float64   { return float64(r.Posted) }
func told(r *Run) float64     { return float64(sum(r.Told)) }
func wasted(r *Run) float64   { return float64(sum(r.Wasted)) }
func woken(r *Run) float64    { return float64(sum(r.Woken)) }
func switches(r *Run) float64 { return float64(sum(r.Switches)) }
func evenness(r *Run) float64 { return jain(r.Served) }
func p50(r *Run) float64      { return float64(r.P50) }
func p95(r *Run) float64      { return float64(r.P95) }
func took(r *Run) float64     { return float64(r.Took) }

func tookPart(r *Run) float64 {
	n := 0
	for _, accepted := range r.Accepted {
		if accepted > 0 {
			n++
		}
	}
	return float64(n)
}

// Table is that of a mode, nil if it was not run.
func (r *Report) Table(mode string) *Table {
	for i := range r.Modes {
		if r.Modes[i].Mode == mode {
			return &r.Modes[i]
		}
	}
	return nil
}

// Row is that of an arrangement, nil if it was not run.
func (t *Table) Row(arrangement string) *Row {
	if t == nil {
		return nil
	}
	for i := range t.Rows {
		if t.Rows[i].Arrangement == arrangement {
			return &t.Rows[i]
		}
	}
	return nil
}

// Disagreements are all places where two witnesses contradict each other.
func (r *Report) Disagreements() (all []Disagreement) {
	for _, run := range r.Runs {
		for _, d := range run.Disagree {
			all = append(all, Disagreement{run, d.En, d.Zh})
		}
	}
	return all
}

// Disagreement is one of them, and the run that it was seen in.
type Disagreement struct {
	Run    *Run
	En, Zh string
}

// Answered is a report with the answer that it gives.
type Answered struct {
	*Report
	Answer []Sentence `json:"answer"`
	Agree  bool       `json:"witnesses_agree"`
}

// Sentence is one of an answer, in both languages.
type Sentence struct {
	En string `json:"en"`
	Zh string `json:"zh"`
}

// WithAnswer is the report for a program to read.
func (r *Report) WithAnswer() Answered {
	a := Answered{Report: r, Agree: len(r.Disagreements()) == 0}
	for _, s := range r.Answer() {
		a.Answer = append(a.Answer, Sentence{s.En, s.Zh})
	}
	return a
}
