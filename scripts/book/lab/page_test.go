package lab

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

var colour = regexp.MustCompile(`(--[a-z0-9-]+): (#[0-9a-f]{6});`)

// A reader goes from one page to the other: a worker has the same hue on both, and what one has mended for
// contrast the other has too.
func TestTheLabsPageHasTheColoursOfTheTracesPage(t *testing.T) {
	text, err := os.ReadFile("../../../trace/page/web/style.css")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][]string{}
	for _, c := range colour.FindAllStringSubmatch(string(text), -1) {
		of[c[1]] = append(of[c[1]], c[2])
	}
	own := colour.FindAllStringSubmatch(pageStyle, -1)
	for _, c := range own {
		if !slices.Contains(of[c[1]], c[2]) {
			t.Errorf("%s is %s here and one of %v there", c[1], c[2], of[c[1]])
		}
	}
	if len(own) < 30 {
		t.Errorf("%d colours were found", len(own))
	}
}
