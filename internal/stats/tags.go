package stats

import (
	"regexp"
	"strings"
)

// Tag is a part of a metric's name that tells metrics of one kind apart: which cluster, which
// listener. Monitoring systems want it beside the name, not in it.
//
// Envoy: Stats::Tag
type Tag struct{ Name, Value string }

// extractor finds one tag. The pattern's first group is what is cut out of the name, its second,
// if there is one, is the tag's value.
type extractor struct {
	first   string // the name's first part, its dot included; "" for any
	within  string // what the name must contain: it is looked for before the pattern is tried
	tag     string
	pattern *regexp.Regexp
}

// extractors are those of Envoy's default ones whose stats exist here, in its order. Where Envoy
// looks ahead for a dot, these say the same without.
//
// Envoy: Config::TagNameValues
var extractors = []extractor{
	{"", "_rq_", "envoy.response_code", regexp.MustCompile(`_rq(_(\d{3}))$`)},
	{"", "_rq_", "envoy.response_code_class", regexp.MustCompile(`_rq_(\d)xx$`)},
	{"http.", ".user_agent.", "envoy.http_user_agent",
		regexp.MustCompile(`^http(?:\..*?)?\.user_agent\.((.*?)\.)\w+?$`)},
	{"vhost.", ".vcluster.", "envoy.virtual_cluster",
		regexp.MustCompile(`^vhost(?:\..*?)?\.vcluster\.((.*?)\.)\w+?$`)},
	{"tcp.", "", "envoy.tcp_prefix", regexp.MustCompile(`^tcp\.((.*?)\.)\w+?$`)},
	{"cluster.", "", "envoy.cluster_name", regexp.MustCompile(`^cluster\.(([^.]+)\.)`)},
	{"listener.", ".http.", "envoy.http_conn_manager_prefix",
		regexp.MustCompile(`^listener(?:\..*?)?\.http\.((.*?)\.)`)},
	{"http.", "", "envoy.http_conn_manager_prefix", regexp.MustCompile(`^http\.((.*?)\.)`)},
	{"listener.", "", "envoy.listener_address",
		regexp.MustCompile(`^listener\.(([_.[:digit:]]*|[_\[\]aAbBcCdDeEfF[:digit:]]*)\.)`)},
	{"vhost.", "", "envoy.virtual_host", regexp.MustCompile(`^vhost\.((.*?)\.)`)},
	{"listener_manager.", "listener_manager.worker_", "envoy.worker_id",
		regexp.MustCompile(`^listener_manager\.((worker_\d+)\.)`)},
}

// ExtractTags splits a metric's full name into what it counts and the tags. Each pattern sees the
// whole name, whatever others cut out of it.
//
// Envoy: TagProducerImpl::produceTags
func ExtractTags(name string) (extracted string, tags []Tag) {
	var cut [][2]int
	for _, e := range extractors {
		if !strings.HasPrefix(name, e.first) || !strings.Contains(name, e.within) {
			continue
		}
		m := e.pattern.FindStringSubmatchIndex(name)
		if m == nil {
			continue
		}
		value := m[len(m)-2:]
		tags = append(tags, Tag{e.tag, name[value[0]:value[1]]})
		cut = append(cut, [2]int{m[2], m[3]})
	}
	return without(name, cut), tags
}

// without is the name without some ranges of it, which may overlap.
func without(name string, cut [][2]int) string {
	if len(cut) == 0 {
		return name
	}
	kept := make([]byte, 0, len(name))
	for n := range len(name) {
		gone := false
		for _, c := range cut {
			gone = gone || c[0] <= n && n < c[1]
		}
		if !gone {
			kept = append(kept, name[n])
		}
	}
	return string(kept)
}
