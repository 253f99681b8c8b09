package startup

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"envoywalk/internal/network"
	"envoywalk/internal/stats"
)

// Envoy: ServerInfoHandler::handlerReady
func (a *Admin) ready(w http.ResponseWriter, _ *http.Request) {
	var state State
	if a.Failed(w, a.OnMain(func() { state = a.instance.State() })) {
		return
	}
	if state != Live {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprintln(w, state)
}

// Envoy: ListenersHandler::handlerListenerInfo
func (a *Admin) listeners(w http.ResponseWriter, r *http.Request) {
	var all []ListenerInfo
	if a.Failed(w, a.OnMain(func() { all = a.instance.ListenerManager.Listeners() })) {
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
	a.WriteProto(w, out)
}

func protoAddress(a *network.Address) *corev3.Address {
	if a.IsPipe() {
		return &corev3.Address{Address: &corev3.Address_Pipe{
			Pipe: &corev3.Pipe{Path: a.Path(), Mode: a.Mode()}}}
	}
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       a.AddrPort().Addr().String(),
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(a.Port())}}}}
}

// stats needs no post: every number is read atomically, as Envoy's are.
//
// Envoy: StatsHandler::handlerStats
func (a *Admin) stats(w http.ResponseWriter, r *http.Request) {
	show, ok := a.statsFilter(w, r)
	if !ok {
		return
	}
	switch format, set := r.URL.Query()["format"]; {
	case !set:
		a.statsText(w, show)
	case format[0] == "json":
		a.statsJSON(w, show)
	case format[0] == "prometheus":
		a.prometheus(w, r)
	default:
		refuse(w, http.StatusNotFound, "usage: /stats?format=json  or /stats?format=prometheus \n\n")
	}
}

func (a *Admin) statsText(w http.ResponseWriter, show func(string, bool) bool) {
	a.instance.Stats.Each(func(kind, name, value string, used bool) {
		if kind == stats.KindTextReadout {
			value = `"` + sanitizeHTML(value) + `"`
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
		Interval   *float64 `json:"interval"`
		Cumulative *float64 `json:"cumulative"`
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
	if len(computed) > 0 {
		all = append(all, map[string]any{"histograms": map[string]any{
			"supported_quantiles": percent(stats.SupportedQuantiles()), "computed_quantiles": computed}})
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"stats": all})
}

// numberOrNull: JSON has no NaN.
func numberOrNull(f float64) *float64 {
	if math.IsNaN(f) {
		return nil
	}
	return &f
}

func percent(q []float64) []float64 {
	for n := range q {
		q[n] *= 100
	}
	return q
}
