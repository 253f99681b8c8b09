package startup

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"envoywalk/internal/network"
	"envoywalk/internal/stats"
)

// handlers are the questions this chapter can answer.
func (a *Admin) handlers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", a.ready)
	mux.HandleFunc("GET /server_info", a.serverInfo)
	mux.HandleFunc("GET /listeners", a.listeners)
	mux.HandleFunc("GET /stats", a.stats)
	mux.HandleFunc("GET /{$}", a.index)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintln(w, "invalid path. admin commands are:")
		fmt.Fprint(w, commands)
	})
	return mux
}

const commands = `  /listeners: print listener info (?format=json)
  /ready: print server state, return 200 if LIVE, otherwise return 503
  /server_info: print server version/status information
  /stats: print server stats (?usedonly, ?filter=REGEX, ?format=json)
`

func (a *Admin) index(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "envoywalk %s\nadmin commands are:\n%s", a.instance.Seams.Chapter.Name, commands)
}

// Envoy: ServerInfoHandler::handlerReady
func (a *Admin) ready(w http.ResponseWriter, _ *http.Request) {
	var state State
	if a.failed(w, a.onMain(func() { state = a.instance.State() })) {
		return
	}
	if state != Live {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprintln(w, state)
}

func (a *Admin) failed(w http.ResponseWriter, err error) bool {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
	return err != nil
}

// Envoy: ServerInfoHandler::handlerServerInfo
func (a *Admin) serverInfo(w http.ResponseWriter, _ *http.Request) {
	i, o := a.instance, a.instance.Options
	info := &adminv3.ServerInfo{Version: "envoywalk " + i.Seams.Chapter.Name, HotRestartVersion: "disabled",
		Node: i.Bootstrap().GetNode(),
		CommandLineOptions: &adminv3.CommandLineOptions{ConfigPath: o.ConfigPath, ConfigYaml: o.ConfigYAML,
			Concurrency: uint32(o.Concurrency), BaseId: uint64(o.BaseID), LogLevel: o.LogLevel.String(),
			DrainTime: durationpb.New(time.Duration(o.DrainTime) * time.Second), LogPath: o.LogPath,
			ParentShutdownTime: durationpb.New(time.Duration(o.ParentShutdownTime) * time.Second),
			Mode:               adminv3.CommandLineOptions_Mode(o.Mode), DisableHotRestart: true}}
	err := a.onMain(func() {
		info.State = adminv3.ServerInfo_State(i.State())
		up := durationpb.New(time.Since(i.started).Truncate(time.Second))
		info.UptimeCurrentEpoch, info.UptimeAllEpochs = up, up
	})
	if !a.failed(w, err) {
		a.writeProto(w, info)
	}
}

func (a *Admin) writeProto(w http.ResponseWriter, m proto.Message) {
	text, err := protojson.MarshalOptions{Multiline: true, Indent: " ", UseProtoNames: true,
		EmitUnpopulated: true}.Marshal(m)
	if a.failed(w, err) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(text, '\n'))
}

// Envoy: ListenersHandler::handlerListenerInfo
func (a *Admin) listeners(w http.ResponseWriter, r *http.Request) {
	var all []ListenerInfo
	if a.failed(w, a.onMain(func() { all = a.instance.ListenerManager.Listeners() })) {
		return
	}
	if r.URL.Query().Get("format") != "json" {
		for _, l := range all {
			fmt.Fprintf(w, "%s::%s\n", l.Name, l.Address)
		}
		return
	}
	out := &adminv3.Listeners{}
	for _, l := range all {
		out.ListenerStatuses = append(out.ListenerStatuses,
			&adminv3.ListenerStatus{Name: l.Name, LocalAddress: protoAddress(l.Address)})
	}
	a.writeProto(w, out)
}

func protoAddress(a *network.Address) *corev3.Address {
	if a.IsPipe() {
		return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: a.Path(), Mode: a.Mode()}}}
	}
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       a.AddrPort().Addr().String(),
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(a.Port())}}}}
}

// stats needs no post: every number is read atomically, as Envoy's are.
//
// Envoy: StatsHandler::handlerStats
func (a *Admin) stats(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	filter, err := regexp.Compile(q.Get("filter"))
	if err != nil {
		http.Error(w, "Invalid regex: \""+err.Error()+"\"", http.StatusBadRequest)
		return
	}
	if f := q.Get("format"); f != "" && f != "json" {
		http.Error(w, "usage: /stats?format=json  or /stats?format=prometheus (from chapter 06 on)",
			http.StatusNotFound)
		return
	}
	_, usedOnly := q["usedonly"]
	show := func(name string, used bool) bool { return (used || !usedOnly) && filter.MatchString(name) }
	if q.Get("format") == "json" {
		a.statsJSON(w, show)
		return
	}
	a.instance.Stats.Each(func(kind, name, value string, used bool) {
		if kind == stats.KindTextReadout {
			value = `"` + strings.ReplaceAll(value, `"`, `&quot;`) + `"`
		}
		if show(name, used) {
			fmt.Fprintf(w, "%s: %s\n", name, value)
		}
	})
}

// statsJSON has Envoy's shape: plain stats first, then one object with all histograms.
func (a *Admin) statsJSON(w http.ResponseWriter, show func(string, bool) bool) {
	type plain struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	}
	type quantile struct {
		Interval   json.Number `json:"interval"`
		Cumulative json.Number `json:"cumulative"`
	}
	all := []any{}
	a.instance.Stats.Each(func(kind, name, value string, used bool) {
		switch {
		case !show(name, used) || kind == stats.KindHistogram:
		case kind == stats.KindTextReadout:
			all = append(all, plain{name, value})
		default:
			all = append(all, plain{name, json.Number(value)})
		}
	})
	computed := []any{}
	for _, h := range a.instance.Stats.Histograms() {
		if !show(h.Name(), h.Used()) {
			continue
		}
		interval, cumulative := h.Quantiles()
		values := make([]quantile, len(cumulative))
		for n := range values {
			values[n] = quantile{numberOrNull(interval[n]), numberOrNull(cumulative[n])}
		}
		computed = append(computed, map[string]any{"name": h.Name(), "values": values})
	}
	all = append(all, map[string]any{"histograms": map[string]any{
		"supported_quantiles": percent(stats.SupportedQuantiles()), "computed_quantiles": computed}})
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"stats": all})
}

func numberOrNull(f float64) json.Number {
	if f != f {
		return "null"
	}
	return json.Number(fmt.Sprint(f))
}

func percent(q []float64) []float64 {
	for n := range q {
		q[n] *= 100
	}
	return q
}
