package network

import (
	"strings"
	"testing"
)

func mustParse(t *testing.T, ip string, port uint16) *Address {
	t.Helper()
	a, err := ParseInternetAddress(ip, port, true)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mustPipe(t *testing.T, path string, mode uint32) *Address {
	t.Helper()
	a, err := NewPipe(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestAnAddressPrintsAsEnvoyPrintsIt(t *testing.T) {
	for ip, want := range map[string]string{
		"127.0.0.1":       "127.0.0.1:80",
		"::1":             "[::1]:80",
		"::":              "[::]:80",
		"2001:DB8:0:0::1": "[2001:db8::1]:80",
		"::ffff:1.2.3.4":  "[::ffff:1.2.3.4]:80",
		"::1.2.3.4":       "[::1.2.3.4]:80",
		"::0.0.1.2":       "[::102]:80",
		"1:0:2:0:3:0:4:0": "[1:0:2:0:3:0:4:0]:80",
		"fe80::1%2":       "[fe80::1%2]:80",
		"fe80::1%0":       "[fe80::1]:80",
		"::1.2.3.4%7":     "[::1.2.3.4%7]:80",
	} {
		a := mustParse(t, ip, 80)
		if got := a.String(); got != want || string(a.AppendTo([]byte("to "))) != "to "+want {
			t.Errorf("%s prints as %s, want %s", ip, got, want)
		}
	}
	if got := mustPipe(t, "/run/x.sock", 0).String(); got != "/run/x.sock" {
		t.Errorf("a path prints as %s", got)
	}
	if got := mustPipe(t, "@a\x00b", 0).String(); got != "@a@b" {
		t.Errorf("an abstract name prints as %s", got)
	}
}

func TestWhatInetPtonRefusesIsMalformed(t *testing.T) {
	for _, ip := range []string{"", "localhost", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4:80",
		"[::1]", "::1::", "fe80::1%eth0", "1.2.3.4%1", "::1%99999999999", " 1.2.3.4"} {
		_, err := ParseInternetAddress(ip, 0, false)
		wantError(t, err, "malformed IP address: "+ip)
	}
}

func TestAPipeIsRefusedInEnvoysWords(t *testing.T) {
	long := "/" + strings.Repeat("x", 107)
	_, err := NewPipe(long, 0)
	wantError(t, err, `Path "`+long+`" exceeds maximum UNIX domain socket path size of 108.`)
	_, err = NewPipe("@name", 0o600)
	wantError(t, err, "Cannot set mode for Abstract AF_UNIX sockets")
	_, err = NewPipe("/a\x00b", 0)
	wantError(t, err, "UNIX domain socket pathname contains embedded null characters")
	_, err = NewPipe("", 0)
	wantError(t, err, "UNIX domain socket pathname is empty")
}

func TestThePropertiesOfAnIPAddress(t *testing.T) {
	a := mustParse(t, "::1", 443)
	if !a.IsIP() || a.IsPipe() || a.IsAbstract() || a.Path() != "" || a.Version() != 6 {
		t.Errorf("[::1]:443 takes itself for something else: %+v", a)
	}
	if !a.V6only() || a.Port() != 443 || a.Family() != afInet6 || !a.IsLoopback() {
		t.Errorf("[::1]:443 has lost something: %+v", a)
	}
	if v4 := mustParse(t, "127.0.0.1", 1); v4.V6only() || v4.Version() != 4 || !v4.IsLoopback() {
		t.Errorf("127.0.0.1:1 has a wrong property: %+v", v4)
	}
	if mustParse(t, "127.0.0.2", 1).IsLoopback() {
		t.Error("127.0.0.2 counts as loopback; Envoy knows only 127.0.0.1")
	}
	if !mustParse(t, "0.0.0.0", 0).IsAnyAddress() || !mustParse(t, "::", 0).IsAnyAddress() {
		t.Error("an any-address does not know it is one")
	}
	if a.IsAnyAddress() || mustPipe(t, "@x", 0).IsAnyAddress() {
		t.Error("an address wrongly takes itself for the any-address")
	}
}

func TestThePropertiesOfAPipe(t *testing.T) {
	a := mustPipe(t, "/run/x.sock", 0o660)
	if a.IsIP() || !a.IsPipe() || a.IsAbstract() || a.Path() != "/run/x.sock" || a.Mode() != 0o660 {
		t.Errorf("a path takes itself for something else: %+v", a)
	}
	if a.Version() != 0 || a.Port() != 0 || a.AddrPort().IsValid() || a.IsLoopback() {
		t.Errorf("a path has properties of an IP: %+v", a)
	}
	if abstract := mustPipe(t, "@x", 0); !abstract.IsAbstract() || abstract.Path() != "@x" {
		t.Errorf("an abstract name takes itself for something else: %+v", abstract)
	}
}

func TestWithPortKeepsTheRest(t *testing.T) {
	a := mustParse(t, "fe80::1%2", 0)
	if got := a.WithPort(8080); got.String() != "[fe80::1%2]:8080" || !got.V6only() {
		t.Errorf("got %s, v6only %v", got, got.V6only())
	}
	if a.Port() != 0 {
		t.Error("WithPort changed the address it was asked of")
	}
	if p := mustPipe(t, "/x", 0); p.WithPort(1) != p {
		t.Error("a pipe took a port")
	}
}

func TestOnlyAMappedAddressIsUnmapped(t *testing.T) {
	if got := mustParse(t, "::ffff:1.2.3.4", 5).Unmapped(); got.String() != "1.2.3.4:5" ||
		got.Family() != afInet {
		t.Errorf("the mapped address gave %s", got)
	}
	for _, a := range []*Address{mustParse(t, "::1", 5), mustParse(t, "1.2.3.4", 5),
		mustPipe(t, "@x", 0)} {
		if a.Unmapped() != a {
			t.Errorf("%s was unmapped", a)
		}
	}
}

func TestAListenURLNamesSchemeAndAddress(t *testing.T) {
	for want, a := range map[string]*Address{
		"tcp://127.0.0.1:80": mustParse(t, "127.0.0.1", 80),
		"tcp://[::1]:80":     mustParse(t, "::1", 80),
		"unix:///run/x.sock": mustPipe(t, "/run/x.sock", 0),
		"unix://@x":          mustPipe(t, "@x", 0),
	} {
		if got := a.ListenURL(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
