package startup

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const adminOnly = "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }\n"

// asking is the admin of a server that runs in this process. It is asked without a socket, which is
// chapter 04's.
type asking struct {
	*Admin
	t *testing.T
}

// whileAdminServes runs a server with an admin and calls ask while it serves.
func whileAdminServes(t *testing.T, yaml string, change func(*Seams), ask func(asking), args ...string) []string {
	t.Helper()
	code, lines := serve(t, adminOnly+yaml, change, func(d *Demo) { ask(asking{d.Instance.Admin, t}) }, args...)
	if code != 0 {
		t.Errorf("status %d: %q", code, lines)
	}
	return lines
}

func (a asking) ask(method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:9901"
	for n := 0; n < len(headers); n += 2 {
		if r.Header.Set(headers[n], headers[n+1]); headers[n] == "Host" {
			r.Host = headers[n+1]
		}
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// expect asks and compares: body is the whole answer, or a pattern between slashes.
func (a asking) expect(method, target string, code int, body string) string {
	a.t.Helper()
	w := a.ask(method, target)
	got, matches := w.Body.String(), false
	if pattern, is := strings.CutPrefix(body, "/"); is {
		matches = regexp.MustCompile("(?s)" + strings.TrimSuffix(pattern, "/")).MatchString(got)
	} else {
		matches = got == body
	}
	if w.Code != code || !matches {
		a.t.Errorf("%s %s: %d %q, want %d %q", method, target, w.Code, got, code, body)
	}
	return got
}

func (a asking) stat(name string) (value string) {
	a.t.Helper()
	return strings.TrimSpace(a.expect("GET", "/stats?filter=^"+url.QueryEscape(regexp.QuoteMeta(name))+"$", 200,
		"/^"+regexp.QuoteMeta(name)+": .*\n$/")[len(name)+2:])
}

// The table says for every page of Envoy's how it is asked and what answers, in Envoy 1.17's words.
func TestEachPageAnswersAsEnvoysDoes(t *testing.T) {
	const plain, asJSON = "text/plain; charset=UTF-8", "application/json"
	pages := map[string]struct{ kind, body string }{
		"/":                         {"text/html; charset=UTF-8", "/^<!DOCTYPE html>/"},
		"/certs":                    {asJSON, "{\n \"certificates\": []\n}\n"},
		"/config_dump":              {asJSON, "/^{\n \"configs\": \\[\n  {\n   \"@type\": /"},
		"/help":                     {plain, "/^admin commands are:\n  /: Admin home page\n/"},
		"/hot_restart_version":      {plain, "disabled"},
		"/init_dump":                {asJSON, "/\"name\": \"Server\"\n/"},
		"/init_dump?mask=listener":  {asJSON, "{}\n"},
		"/init_dump?mask=elsewhere": {asJSON, "{}\n"},
		"/listeners":                {plain, ""},
		"/listeners?format=json":    {asJSON, "{}\n"},
		"/memory":                   {asJSON, "/^{\n \"allocated\": \"[1-9]\\d*\",\n \"heap_size\": \"[1-9]/"},
		"/ready":                    {plain, "LIVE\n"},
		"/runtime":                  {asJSON, "/\"layers\"/"},
		"/server_info":              {asJSON, "/\"state\": \"LIVE\"/"},
		"/stats":                    {plain, "/server.live: 1\n/"},
		"/stats/prometheus":         {plain, "/# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n\n/"},
		"/stats?format=prometheus":  {plain, "/# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n\n/"},
	}
	whileAdminServes(t, "", nil, func(a asking) {
		asked := map[string]bool{}
		for target, want := range pages {
			path, _, _ := strings.Cut(target, "?")
			asked[path] = true
			for _, method := range [...]string{"GET", "POST", "PUT"} {
				a.expect(method, target, 200, want.body)
			}
			h := a.ask("GET", target).Result().Header
			if h.Get("Content-Type") != want.kind || h.Get("X-Content-Type-Options") != "nosniff" ||
				h.Get("Cache-Control") != "no-cache, max-age=0" {
				t.Errorf("%s: %v", target, h)
			}
		}
		for _, p := range a.pages {
			if !p.Mutates && !asked[p.Path] && !strings.HasPrefix(p.Path, "/trace") {
				t.Errorf("the table does not know %s", p.Path)
			}
		}
	})
}

func TestOnlyAPostOfThisOriginChangesTheServer(t *testing.T) {
	lines := whileAdminServes(t, "", nil, func(a asking) {
		for _, p := range a.pages {
			if !p.Mutates {
				continue
			}
			for _, method := range [...]string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
				w := a.ask(method, p.Path)
				if want := "Method " + method + " not allowed, POST required."; w.Code != 405 ||
					w.Body.String() != want || w.Header().Get("Allow") != "POST" {
					t.Errorf("%s %s: %d %q", method, p.Path, w.Code, w.Body)
				}
			}
			for _, foreign := range [...][]string{{"Sec-Fetch-Site", "cross-site"},
				{"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}, {"Origin", "null"}} {
				if w := a.ask("POST", p.Path, foreign...); w.Code != 403 ||
					!strings.HasPrefix(w.Body.String(), "A page of another origin may not change this server: ") {
					t.Errorf("POST %s with %v: %d %q", p.Path, foreign, w.Code, w.Body)
				}
			}
		}
		for _, own := range [...][]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"},
			{"Origin", "http://127.0.0.1:9901"}, {}} {
			if w := a.ask("POST", "/logging", own...); w.Code != 200 {
				t.Errorf("POST with %v: %d %q", own, w.Code, w.Body)
			}
		}
		a.expect("GET", "/ready", 200, "LIVE\n")
	})
	want := `admin path "/quitquitquit" mutates state, method=GET rather than POST`
	if len(only(lines, want)) != 1 {
		t.Error("the log does not say", want)
	}
}

func TestNoNameCanBeMadeToStandForTheAdmin(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		for _, host := range [...]string{"127.0.0.1", "127.0.0.1:9901", "localhost", "LOCALHOST:80", "[::1]:9901",
			"[::1]", "10.1.2.3:9901", "[fe80::1]:80", ""} {
			if w := a.ask("GET", "/ready", "Host", host); w.Code != 200 {
				t.Errorf("%q: %d", host, w.Code)
			}
		}
		for _, host := range [...]string{"evil.example", "evil.example:9901", "localhost.evil.example",
			"127.0.0.1.evil.example", "localhost:evil", "evil@127.0.0.1", "127.0.0.1:9901:1", "0x7f.1", "[::1]x", "."} {
			for _, p := range a.pages {
				w := a.ask("POST", p.Path, "Host", host)
				want := fmt.Sprintf("Host %q is refused: the admin answers to an IP address and to localhost, "+
					"so that no other name can be made to stand for it.\n", host)
				if w.Code != 403 || w.Body.String() != want {
					t.Errorf("%s of %q: %d %q", p.Path, host, w.Code, w.Body)
				}
			}
		}
	})
}

func TestAnUnknownPathListsThePages(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		help := a.expect("GET", "/help", 200, "/^admin commands are:/")
		for _, path := range [...]string{"/nothing", "/ready/", "/stats/", "//ready", "/Ready"} {
			a.expect("GET", path, 404, "invalid path. "+help)
		}
		last := ""
		for n, line := range strings.Split(strings.TrimSpace(help), "\n")[1:] {
			if line != fmt.Sprintf("  %s: %s", a.pages[n].Path, a.pages[n].Help) || a.pages[n].Path <= last {
				t.Errorf("line %d of /help: %q", n, line)
			}
			last = a.pages[n].Path
		}
		a.expect("GET", "/help", 200, "/\n  /healthcheck/fail: cause the server to fail health checks\n/")
	})
}

func TestTheHomePageHasLinksForPagesAndFormsForCommands(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		w := a.ask("GET", "/")
		body := w.Body.String()
		for _, p := range a.pages[1:] {
			link := fmt.Sprintf("<td class='home-data'><a href='%[1]s'>%[1]s</a></td>", p.Path[1:])
			if p.Mutates {
				link = fmt.Sprintf("<td class='home-data'><form action='%[1]s' method='post' class='home-form'>"+
					"<button>%[1]s</button></form></td>", p.Path[1:])
			}
			row := "<tr class='home-row'>" + link + "<td class='home-data'>" + sanitizeHTML(p.Help) + "</td></tr>\n"
			if !strings.Contains(body, row) {
				t.Errorf("the home page lacks %s", row)
			}
		}
		policy := w.Header().Get("Content-Security-Policy")
		style := sha256.Sum256([]byte(regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(body)[1]))
		for _, want := range [...]string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'",
			"style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) + "'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the policy %q lacks %s", policy, want)
			}
		}
	})
}

func TestALaterChapterAddsPages(t *testing.T) {
	change := func(s *Seams) {
		s.ClusterManager = func(i *Instance) (ClusterManager, error) {
			page := Page{Path: "/clusters", Help: "upstream <cluster> status", Answer: func(w http.ResponseWriter,
				_ *http.Request) {
				var state State
				if !i.Admin.Failed(w, i.Admin.OnMain(func() { state = i.State() })) {
					fmt.Fprintln(w, "main says", state)
				}
			}}
			if !i.Admin.AddPage(page) || i.Admin.AddPage(page) || i.Admin.AddPage(Page{Path: "/a?b"}) {
				t.Error("a page is added once, and only with a path that is safe in HTML")
			}
			return &noClusters{instance: i}, nil
		}
	}
	lines := whileAdminServes(t, "", change, func(a asking) {
		a.expect("GET", "/clusters", 200, "main says LIVE\n")
		a.expect("GET", "/help", 200, "/\n  /clusters: upstream <cluster> status\n  /config_dump: /")
		a.expect("GET", "/", 200, "/upstream &lt;cluster&gt; status/")
	})
	if len(only(lines, `filter "/a?b" contains invalid character '?'`)) != 1 {
		t.Error("the log does not say why a page was not added")
	}
}

func TestATooLongBodyIsRefusedAndNothingIsDoneWithAPartOfIt(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		r := httptest.NewRequest("POST", "/runtime_modify",
			strings.NewReader("a=1&b="+strings.Repeat("x", maxAdminBody)))
		r.Host = "127.0.0.1"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, r); w.Code != 413 || w.Body.String() != "Payload Too Large" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		if n := a.stat("runtime.num_keys"); n != "0" {
			t.Errorf("%s keys were set", n)
		}
	})
}
