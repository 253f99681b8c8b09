package network

import (
	"strconv"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

func portText(port uint16) string { return strconv.Itoa(int(port)) }

// configured is the address that a config writes so.
func configured(t *testing.T, json string) *corev3.Address {
	t.Helper()
	a := &corev3.Address{}
	if err := protojson.Unmarshal([]byte(json), a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAConfiguredAddressResolves(t *testing.T) {
	for json, want := range map[string]string{
		`{"socket_address": {"address": "127.0.0.1", "port_value": 80}}`:      "127.0.0.1:80",
		`{"socket_address": {"address": "127.0.0.1"}}`:                        "127.0.0.1:0",
		`{"socket_address": {"address": "::1", "resolver_name": "envoy.ip"}}`: "[::1]:0",
		`{"pipe": {"path": "/run/x.sock", "mode": 432}}`:                      "/run/x.sock",
		`{"pipe": {"path": "@x"}}`:                                            "@x",
	} {
		a, err := Resolve(configured(t, json))
		if err != nil || a.String() != want {
			t.Errorf("%s is %v, %v, want %s", json, a, err, want)
		}
	}
}

func TestIPv4CompatTakesIPv4TrafficToo(t *testing.T) {
	for json, want := range map[string]bool{
		`{"socket_address": {"address": "::"}}`:                      true,
		`{"socket_address": {"address": "::", "ipv4_compat": true}}`: false,
	} {
		a, err := Resolve(configured(t, json))
		if err != nil || a.V6only() != want {
			t.Errorf("%s: v6only is not %v (%v)", json, want, err)
		}
	}
}

func TestAnAddressIsRefusedInEnvoysWords(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{`{}`, "Address must be set: "},
		{`{"socket_address": {"address": "localhost"}}`,
			"malformed IP address: localhost"},
		{`{"socket_address": {"address": "1.2.3.4", "named_port": "http"}}`,
			"IP resolver can't handle port specifier type 4"},
		{`{"socket_address": {"address": "1.2.3.4", "resolver_name": "x"}}`,
			"Unknown address resolver: x"},
		{`{"socket_address": {"address": "1.2.3.4", "port_value": 65536}}`,
			"port_value 65536 is above 65535"},
		{`{"pipe": {"path": "@x", "mode": 384}}`,
			"Cannot set mode for Abstract AF_UNIX sockets"},
		{`{"envoy_internal_address": {"server_listener_name": "x"}}`,
			"envoy_internal_address is not rebuilt here"},
	} {
		_, err := Resolve(configured(t, c.json))
		wantError(t, err, c.want)
	}
	_, err := Resolve(nil)
	wantError(t, err, "Address must be set: ")
}

func TestTheSocketTypeIsReadFromTheAddress(t *testing.T) {
	for json, want := range map[string]Type{
		`{"socket_address": {"address": "1.2.3.4"}}`:                    Stream,
		`{"socket_address": {"address": "1.2.3.4", "protocol": "TCP"}}`: Stream,
		`{"socket_address": {"address": "1.2.3.4", "protocol": "UDP"}}`: Datagram,
		`{"pipe": {"path": "/x"}}`:                                      Stream,
	} {
		if got := SocketType(configured(t, json)); got != want {
			t.Errorf("%s wants %s, got %s", json, want, got)
		}
	}
	if Stream.String() != "Stream" || Datagram.String() != "Datagram" {
		t.Error("a socket type has lost its name")
	}
}
