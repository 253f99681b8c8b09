package startup

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"envoywalk/internal/stats"
)

// statsFilter reads ?usedonly and ?filter; false if it has refused them.
//
// Envoy: Utility::filterParam, shouldShowMetric
func (a *Admin) statsFilter(w http.ResponseWriter, r *http.Request) (
	show func(name string, used bool) bool, ok bool) {
	q := r.URL.Query()
	filter, err := regexp.Compile(q.Get("filter"))
	if err != nil {
		a.log.Error(`admin: Invalid regex: "%v"`, err)
		refuse(w, http.StatusBadRequest, `Invalid regex: "`+err.Error()+"\"\n")
		return nil, false
	}
	usedOnly := q.Has("usedonly")
	return func(name string, used bool) bool {
		return (used || !usedOnly) && filter.MatchString(name)
	}, true
}

// prometheus shows counters, gauges and histograms as Prometheus reads them; it knows no texts.
//
// Envoy: StatsHandler::handlerPrometheusStats
func (a *Admin) prometheus(w http.ResponseWriter, r *http.Request) {
	show, ok := a.statsFilter(w, r)
	if !ok {
		return
	}
	families := map[string]promFamilies{stats.KindCounter: {}, stats.KindGauge: {}, stats.KindHistogram: {}}
	a.instance.Stats.Each(func(kind, name, value string, used bool) {
		if (kind == stats.KindCounter || kind == stats.KindGauge) && show(name, used) {
			metric, tags := promName(name)
			families[kind].add(metric, fmt.Sprintf("%s{%s} %s\n", metric, tags, value))
		}
	})
	for _, h := range a.instance.Stats.Histograms() {
		if show(h.Name(), h.Used()) {
			metric, tags := promName(h.Name())
			families[stats.KindHistogram].add(metric, promHistogram(metric, tags, h.Cumulative()))
		}
	}
	for _, kind := range [...]string{stats.KindCounter, stats.KindGauge, stats.KindHistogram} {
		families[kind].write(w, kind)
	}
}

// promFamilies are the lines of all metrics of one kind, by Prometheus' name: the format wants
// those of one name together.
type promFamilies map[string][]string

func (f promFamilies) add(name, lines string) { f[name] = append(f[name], lines) }

// Envoy: outputStatType of prometheus_stats.cc
func (f promFamilies) write(w io.Writer, kind string) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(w, "# TYPE %s %s\n%s\n", name, kind, strings.Join(f[name], ""))
	}
}

// promName is a stat's name without its tags, and the tags.
//
// Envoy: PrometheusStatsFormatter::metricName, formattedTags
func promName(name string) (metric, tags string) {
	extracted, all := stats.ExtractTags(name)
	texts := make([]string, len(all))
	for n, t := range all {
		texts[n] = promSanitize(t.Name) + `="` + promEscape(t.Value) + `"`
	}
	return "envoy_" + promSanitize(extracted), strings.Join(texts, ",")
}

// promSanitize: what Prometheus does not allow in a name becomes '_'.
//
// Envoy: sanitizeName of prometheus_stats.cc
func promSanitize(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// promEscape keeps a value inside its quotes. Envoy 1.17 does not: a cluster's name may hold one.
func promEscape(value string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(value, "\uFFFD"))
}

// Envoy: generateHistogramOutput of prometheus_stats.cc
func promHistogram(metric, tags string, c stats.Cumulative) string {
	var b strings.Builder
	more := ""
	if tags != "" {
		more = tags + ","
	}
	for n, bound := range stats.SupportedBuckets() {
		fmt.Fprintf(&b, "%s_bucket{%sle=\"%s\"} %d\n", metric, more, promNumber(bound), c.AtMost[n])
	}
	fmt.Fprintf(&b, "%s_bucket{%sle=\"+Inf\"} %d\n", metric, more, c.Count)
	fmt.Fprintf(&b, "%s_sum{%s} %s\n", metric, tags, promNumber(c.Sum))
	fmt.Fprintf(&b, "%s_count{%s} %d\n", metric, tags, c.Count)
	return b.String()
}

// promNumber never writes an exponent.
func promNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
