package startup

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// runtime shows each key's value in every layer, and the one that counts.
//
// Envoy: RuntimeHandler::handlerRuntime
func (a *Admin) runtime(w http.ResponseWriter, _ *http.Request) {
	type entry struct {
		FinalValue  string   `json:"final_value"`
		LayerValues []string `json:"layer_values"`
	}
	var page struct {
		Entries map[string]*entry `json:"entries"`
		Layers  []string          `json:"layers"`
	}
	page.Entries, page.Layers = map[string]*entry{}, []string{}
	err := a.OnMain(func() {
		layers := a.instance.Runtime.layers
		for n, layer := range layers {
			page.Layers = append(page.Layers, layer.name)
			for key, value := range layer.values {
				if page.Entries[key] == nil {
					page.Entries[key] = &entry{LayerValues: make([]string, len(layers))}
				}
				page.Entries[key].FinalValue, page.Entries[key].LayerValues[n] = value.raw, value.raw
			}
		}
	})
	if a.Failed(w, err) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	out.Encode(page)
}

// runtimeModify changes values on every thread at once: each gets its new snapshot by post.
//
// Envoy: RuntimeHandler::handlerRuntimeModify
func (a *Admin) runtimeModify(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || len(r.Form) == 0 {
		refuse(w, http.StatusBadRequest, "usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n"+
			"       or send the parameters as form values\n"+
			"use an empty value to remove a previously added override")
		return
	}
	overrides := map[string]string{}
	for key, values := range r.Form {
		overrides[key] = values[0]
	}
	var refused error
	err := a.OnMain(func() { refused = a.instance.Runtime.MergeValues(overrides) })
	if err == nil {
		err = refused
	}
	if !a.Failed(w, err) {
		fmt.Fprintln(w, "OK")
	}
}
