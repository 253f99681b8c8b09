package main

import "strings"

// namespaces are the parts of Envoy's symbols that are not classes. A span name leaves them out.
var namespaces = map[string]bool{
	"Envoy": true, "Api": true, "Common": true, "Configuration": true, "ConnectionPool": true,
	"Event": true, "Extensions": true, "Generic": true, "Http": true, "Http1": true,
	"HttpConnectionManager": true, "HttpFilters": true, "LocalRateLimitFilter": true,
	"Network": true, "NetworkFilters": true, "Router": true, "Secret": true, "Server": true,
	"TcpProxy": true, "Thread": true, "Upstream": true, "Upstreams": true, "Wasm": true,
}

// bareClasses say nothing without their namespace: there is a Filter in every filter.
var bareClasses = map[string]bool{"Filter": true, "Impl": true}

// spanNames gives each entry its short name. Two symbols that would share one are both written
// with one more part in front, until they differ.
func spanNames(entries []entry) []string {
	names := make([]string, len(entries))
	for depth := 0; ; depth++ {
		owners := map[string]map[string]bool{} // name -> the symbols that want it
		for i, e := range entries {
			if depth == 0 {
				names[i] = spanName(e, 0)
			}
			if owners[names[i]] == nil {
				owners[names[i]] = map[string]bool{}
			}
			owners[names[i]][e.Symbol] = true
		}
		clash := false
		for i, e := range entries {
			if len(owners[names[i]]) > 1 {
				clash = true
				names[i] = spanName(e, depth+1)
			}
		}
		if !clash || depth == 4 {
			return names
		}
	}
}

// spanName shortens one symbol to class::method, or to the last part if that is a class or a free
// function; extra is how many more parts to keep.
func spanName(e entry, extra int) string {
	if e.Name != "" {
		return e.Name
	}
	parts := strings.Split(withoutTemplate(e.Symbol), "::")
	keep := 1
	if len(parts) > 1 && e.Kind != "class" && !namespaces[parts[len(parts)-2]] {
		keep = 2
	}
	if keep == 2 && len(parts) > 2 && bareClasses[parts[len(parts)-2]] {
		keep = 3
	}
	keep = min(keep+extra, len(parts))
	return strings.Join(parts[len(parts)-keep:], "::")
}

// withoutTemplate drops template arguments: NetworkListenSocket<...>::x is NetworkListenSocket::x.
func withoutTemplate(symbol string) string {
	open, end := strings.IndexByte(symbol, '<'), strings.LastIndexByte(symbol, '>')
	if open < 0 || end < open {
		return symbol
	}
	return symbol[:open] + symbol[end+1:]
}

// constName is the Go constant of an id: "os-socket" is OsSocket.
func constName(id string) string {
	var b strings.Builder
	for _, word := range strings.Split(id, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
