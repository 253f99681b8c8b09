package step

import (
	"os"
	"strings"
	"testing"
)

func TestEveryStepsArticleIsTheOneThatTheReadmeLinks(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range All() {
		a := ArticleOf(s.Info().Article)
		if a.Title == "" || a.English == "" || !strings.Contains(string(readme), a.URL+"\n") {
			t.Fatalf("%s: the README does not link %q", s.Info().ID, a.URL)
		}
	}
	if a := ArticleOf("nonsense"); a.Title != "" || a.URL != "" {
		t.Errorf("an unknown article is %v", a)
	}
}
