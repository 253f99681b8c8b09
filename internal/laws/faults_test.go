package laws

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// faultRows are the rows that docs/faults.md must have, in order.
var faultRows = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 20, 26, 27, 28, 29, 30, 31,
	42, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53}

var (
	faultRow  = regexp.MustCompile(`(?m)^\| (\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$`)
	namedTest = regexp.MustCompile("`(Test\\w+)` in ([\\w/.-]*\\w)")
	anyTest   = regexp.MustCompile(`\bTest[A-Z]\w*`)
)

func TestEveryFaultIsShownByATestThatExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for _, f := range sources(t, "", (*source).isTest) {
		for _, fn := range f.functions() {
			exists[path.Dir(f.path)+" "+functionName(fn)] = true
		}
	}
	var rows []int
	tests, gaps := 0, 0
	for _, row := range faultRow.FindAllStringSubmatch(string(text), -1) {
		n, _ := strconv.Atoi(row[1])
		rows = append(rows, n)
		named := namedTest.FindAllStringSubmatch(row[4], -1)
		for _, m := range named {
			if tests++; !exists[m[2]+" "+m[1]] {
				t.Errorf("row %d: there is no %s in %s", n, m[1], m[2])
			}
		}
		if len(named) != len(anyTest.FindAllString(row[4], -1)) {
			t.Errorf("row %d: a test is named without its package: %s", n, row[4])
		}
		switch gap := strings.Contains(row[3], "**gap**"); {
		case gap:
			gaps++
		case len(named) == 0:
			t.Errorf("row %d names no test", n)
		}
	}
	if !slices.Equal(rows, faultRows) {
		t.Errorf("the rows are %v, and not %v", rows, faultRows)
	}
	t.Logf("%d faults, %d tests, %d gaps", len(rows), tests, gaps)
}
