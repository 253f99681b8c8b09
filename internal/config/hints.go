package config

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// normal makes snake_case, camelCase and kebab-case spellings equal.
func normal(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}

// suggest says what an unknown key was probably meant to be.
func suggest(md protoreflect.MessageDescriptor, key string, at *place) string {
	if key == "<<" {
		return "Envoy's YAML has no merge keys: write the fields out"
	}
	var names []string
	for i := range md.Fields().Len() {
		names = append(names, string(md.Fields().Get(i).Name()))
	}
	best := Nearest(key, names)
	if best != "" && edits(normal(key), normal(best)) <= 1 {
		return fmt.Sprintf("did you mean %q?", best)
	}
	for up := at.up; up != nil; up = up.up {
		if up.md != nil && fieldOf(up.md, key) != nil {
			where := up.String()
			if where == "" {
				where = "the top level"
			}
			return fmt.Sprintf("%s is a field of %s (%s): check the indentation", key,
				up.md.Name(), where)
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.Message() != nil && !fd.IsMap() && fieldOf(fd.Message(), key) != nil {
			return fmt.Sprintf("%s is a field of %s, which goes below %s", key,
				fd.Message().Name(), fd.Name())
		}
	}
	for _, name := range names {
		if len(key) > 3 && strings.Contains(normal(name), normal(key)) {
			return fmt.Sprintf("did you mean %q?", name)
		}
	}
	return "no such field in " + string(md.FullName())
}

// Nearest is what a word was probably meant to be, the candidate with the fewest edits; "" if none is near. The
// spelling of word breaks does not count.
func Nearest(word string, candidates []string) string {
	w := normal(word)
	best, least := "", max(1, len(w)/3)+1
	if len(w) > 64 {
		return "" // no field is that long
	}
	for _, c := range candidates {
		if d := edits(w, normal(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// edits is the Levenshtein distance, with two neighbours swapped counted as one edit.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
