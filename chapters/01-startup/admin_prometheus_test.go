package startup

import (
	"bufio"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"envoywalk/internal/stats"
)

// exposition is a page in Prometheus' text format, read as strictly as its rules are written: a TYPE
// once and before its samples, all samples of a name together, no series twice, histograms whole.
type exposition struct {
	t       *testing.T
	types   map[string]string
	ended   map[string]bool    // names whose group is over
	samples map[string]float64 // by name and labels as they stand
	current string
}

var (
	typeLine   = regexp.MustCompile(`^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$`)
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} ([0-9.]+|\+Inf|NaN)$`)
	oneLabel   = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)`)
	suffix     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

func parseExposition(t *testing.T, text string) *exposition {
	t.Helper()
	e := &exposition{t, map[string]string{}, map[string]bool{}, map[string]float64{}, ""}
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line does not end")
	}
	for in := bufio.NewScanner(strings.NewReader(text)); in.Scan(); {
		switch line := in.Text(); {
		case line == "":
		case strings.HasPrefix(line, "#"):
			e.typed(line)
		default:
			e.sample(line)
		}
	}
	for name, kind := range e.types {
		if kind == "histogram" {
			e.checkHistogram(name)
		}
	}
	return e
}

func (e *exposition) typed(line string) {
	m := typeLine.FindStringSubmatch(line)
	if m == nil || e.types[m[1]] != "" {
		e.t.Fatalf("not a TYPE line, or the second of its name: %q", line)
	}
	e.ended[e.current] = true
	e.current, e.types[m[1]] = m[1], m[2]
}

func (e *exposition) sample(line string) {
	m := sampleLine.FindStringSubmatch(line)
	if m == nil {
		e.t.Fatalf("not a sample: %q", line)
	}
	name := m[1]
	if e.types[e.current] == "histogram" {
		name = suffix.ReplaceAllString(name, "")
	}
	if name != e.current || e.ended[name] {
		e.t.Errorf("%q stands outside its group", line)
	}
	labels := map[string]string{}
	for rest := m[2]; rest != ""; {
		l := oneLabel.FindStringSubmatch(rest)
		if l == nil || labels[l[1]] != "" {
			e.t.Fatalf("labels of %q", line)
		}
		labels[l[1]], rest = l[2]+" ", rest[len(l[0]):]
	}
	series := m[1] + "{" + m[2] + "}"
	if _, twice := e.samples[series]; twice {
		e.t.Errorf("%s stands there twice", series)
	}
	value, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		e.t.Errorf("%q: %v", line, err)
	}
	e.samples[series] = value
}

var bucketSeries = regexp.MustCompile(`^(.*)_bucket\{(.*,)?le="(.*)"\}$`)

// checkHistogram: bounds and counts rise, the last bound is +Inf and its count is _count's.
func (e *exposition) checkHistogram(name string) {
	type bucket struct{ le, count float64 }
	byLabels := map[string][]bucket{}
	for series, count := range e.samples {
		if m := bucketSeries.FindStringSubmatch(series); m != nil && m[1] == name {
			le, err := strconv.ParseFloat(m[3], 64)
			if err != nil {
				e.t.Errorf("%s: %v", series, err)
			}
			labels := strings.TrimSuffix(m[2], ",")
			byLabels[labels] = append(byLabels[labels], bucket{le, count})
		}
	}
	for labels, all := range byLabels {
		slices.SortFunc(all, func(a, b bucket) int { return map[bool]int{true: -1, false: 1}[a.le < b.le] })
		for n := 1; n < len(all); n++ {
			if all[n].count < all[n-1].count || all[n].le == all[n-1].le {
				e.t.Errorf("%s{%s}: %v", name, labels, all)
			}
		}
		total, ok := e.samples[name+"_count{"+labels+"}"]
		if _, sum := e.samples[name+"_sum{"+labels+"}"]; !ok || !sum || fmt.Sprint(all[len(all)-1].le) != "+Inf" ||
			all[len(all)-1].count != total {
			e.t.Errorf("%s{%s} is not whole", name, labels)
		}
	}
}

func TestThePrometheusPageIsValidAndCarriesTags(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		all := a.instance.Stats.Scope("")
		all.Counter("cluster.a.upstream_cx_total").Add(3)
		all.Counter("cluster.b.upstream_cx_total").Add(4)
		all.Counter(`cluster.q"\ uote.upstream_cx_total`).Add(5)
		all.Counter("listener.127.0.0.1_80.downstream_cx_total").Add(6)
		all.Counter("tcp.ingress.downstream_cx_total").Add(7)
		all.Gauge("a.b-c").Set(8)
		all.Gauge("a.b_c2").Set(9)
		all.TextReadout("text").Set("not shown")
		for _, v := range [...]uint64{1, 7, 7, 900, 4000000} {
			all.Histogram("cluster.a.upstream_cx_length_ms").RecordValue(v)
		}
		all.Histogram("cluster.b.upstream_cx_length_ms").RecordValue(3)
		body := a.expect("GET", "/stats/prometheus", 200, "/^# TYPE envoy_/")
		e := parseExposition(t, body)
		const length = "envoy_cluster_upstream_cx_length_ms"
		for series, want := range map[string]float64{
			`envoy_server_live{}`: 1, `envoy_a_b_c{}`: 8, `envoy_a_b_c2{}`: 9,
			`envoy_cluster_upstream_cx_total{envoy_cluster_name="a"}`:                   3,
			`envoy_cluster_upstream_cx_total{envoy_cluster_name="b"}`:                   4,
			`envoy_cluster_upstream_cx_total{envoy_cluster_name="q\"\\ uote"}`:          5,
			`envoy_listener_downstream_cx_total{envoy_listener_address="127.0.0.1_80"}`: 6,
			`envoy_tcp_downstream_cx_total{envoy_tcp_prefix="ingress"}`:                 7,
			length + `_bucket{envoy_cluster_name="a",le="0.5"}`:                         0,
			length + `_bucket{envoy_cluster_name="a",le="1"}`:                           1,
			length + `_bucket{envoy_cluster_name="a",le="10"}`:                          3,
			length + `_bucket{envoy_cluster_name="a",le="3600000"}`:                     4,
			length + `_bucket{envoy_cluster_name="a",le="+Inf"}`:                        5,
			length + `_count{envoy_cluster_name="a"}`:                                   5,
			length + `_sum{envoy_cluster_name="b"}`:                                     3,
		} {
			if got, ok := e.samples[series]; !ok || got != want {
				t.Errorf("%s: %v %v, want %v", series, got, ok, want)
			}
		}
		if e.types["envoy_cluster_upstream_cx_total"] != "counter" || e.types["envoy_a_b_c"] != "gauge" ||
			e.types[length] != "histogram" || strings.Contains(body, "not shown") {
			t.Errorf("types: %v", e.types)
		}
		if n := len(stats.SupportedBuckets()); strings.Count(body, length+"_bucket{envoy_cluster_name=\"b\",") != n+1 {
			t.Errorf("a histogram does not have %d buckets", n+1)
		}
	})
}

func TestThePrometheusPageTakesTheFiltersOfStats(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		a.expect("GET", "/stats/prometheus?filter=^server%5C.live$", 200,
			"# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n\n")
		a.expect("GET", "/stats?format=prometheus&filter=^server%5C.(live%7Cenvoy_bug_failures)$&usedonly", 200,
			"# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n\n")
		a.expect("GET", "/stats/prometheus?filter=((", 400, "/^Invalid regex: \".+\"\n$/")
		a.expect("GET", "/stats/prometheus?filter=^nothing$", 200, "")
	})
}
