package reading

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"envoywalk/internal/step"
)

const root = "../../.."

// alone are the steps that no function of ours stands for.
var alone = map[string]string{
	"file-event-libevent-callback": "the scheduler calls the callback itself",
	"udp-listen-socket":            "UDP is not part of the walk",
}

func TestEveryStepOfABuiltChapterHasItsPlaceInOurGo(t *testing.T) {
	found, err := places(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range step.All() {
		i := s.Info()
		if i.Number > 6 {
			continue
		}
		place := found[s]
		if _, without := alone[i.ID]; without != (place == nil) {
			t.Errorf("%s: %v", i.ID, place)
		}
		if place == nil {
			continue
		}
		at := place.Line - place.First
		if at < 0 || at >= len(place.Code) || !strings.HasPrefix(place.Code[at], "func ") && !strings.HasPrefix(place.Code[at], "type ") &&
			!strings.Contains(place.Code[at], " struct {") && !strings.Contains(place.Code[at], "interface") {
			t.Errorf("%s is said to be at %s, and there is %q", i.ID, place, place.Code)
		}
	}
}

func TestACodesPiecesAreTheCode(t *testing.T) {
	code := []string{"// a comment", "func f() string {", "\treturn `two", "lines` + \"é\" // end", "}"}
	var back []string
	classes := map[string]string{}
	for _, line := range Pieces(code) {
		text := ""
		for _, p := range line {
			text += p.Text
			classes[p.Text] = p.Class
		}
		back = append(back, text)
	}
	if strings.Join(back, "\n") != strings.Join(code, "\n") {
		t.Errorf("it comes back as %q", back)
	}
	if classes["return"] != "keyword" || classes["// end"] != "comment" || classes["lines`"] != "string" {
		t.Errorf("%v", classes)
	}
}

func TestAPageRunsNothingAndFetchesNothing(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		c, err := Read(root, "04-threading", lang)
		if err != nil {
			t.Fatal(err)
		}
		html, err := c.HTML(lang, "03-bind", "")
		if err != nil {
			t.Fatal(err)
		}
		page := string(html)
		if strings.Contains(page, "<script") || strings.Contains(page, " src=") || strings.Contains(page, " style=") ||
			strings.Contains(page, "@import") || strings.Contains(page, "url(") {
			t.Error("it runs or fetches something")
		}
		inside := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
		sum := sha256.Sum256([]byte(inside[1]))
		if !strings.Contains(page, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Error("its policy does not allow its own style")
		}
		for _, s := range c.Steps {
			if !strings.Contains(page, `id="`+s.ID+`"`) || s.Does == "" {
				t.Errorf("%s: %s is not there", lang, s.ID)
			}
		}
		if strings.Contains(page, "<no value>") || strings.Contains(page, "ZgotmplZ") {
			t.Error("the template was given something wrong")
		}
	}
}

func TestAStepIsFoundByNumberIdOrPartOfAName(t *testing.T) {
	c, err := Read(root, "03-bind", "en")
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{"1": "setup-socket", "setup-socket": "setup-socket", "SETUPSOCKET": "setup-socket",
		"chmod": "os-chmod"} {
		if found := c.Find(what); len(found) != 1 || found[0].ID != want {
			t.Errorf("%s finds %v", what, found)
		}
	}
	if found := c.Find("99"); len(found) != 0 {
		t.Errorf("99 finds %v", found)
	}
	if _, err := Read(root, "nonsense", "en"); err == nil {
		t.Error("nonsense is a chapter")
	}
}

func TestBothLanguagesSayEverythingOnThePage(t *testing.T) {
	for _, w := range languages {
		for _, m := range []map[string]string{w.Threads, w.Kinds} {
			for _, s := range step.All() {
				if m["main"] != "" && m[s.Info().Thread] == "" || m["class"] != "" && m[string(s.Info().Kind)] == "" {
					t.Fatalf("%s: no word for %s or %s", s.Info().ID, s.Info().Thread, s.Info().Kind)
				}
			}
		}
	}
}

func TestWhatTheMapDescribesInEnglishIsChineseToAChineseReader(t *testing.T) {
	for _, one := range step.All() {
		i := one.Info()
		if i.PostsTo != "" && chinese.PostsTo[i.PostsTo] == "" {
			t.Errorf("%s posts to %q, and that is in no Chinese words", i.ID, i.PostsTo)
		}
		if zh := symbolIn(i.Symbol, "zh"); strings.Contains(zh, " ") && !strings.Contains(zh, "operator") {
			for _, word := range []string{" in ", " by ", "(call", "overload"} {
				if strings.Contains(zh, word) {
					t.Errorf("%s: %q is half English", i.ID, zh)
				}
			}
		}
		if symbolIn(i.Symbol, "en") != i.Symbol {
			t.Errorf("%s: the English symbol is changed", i.ID)
		}
	}
}
