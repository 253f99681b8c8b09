package grade

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// InBoth is a text of the grader's own about an answer, from its English, which is what progress files hold.
// The texts of exercises are theirs.
func InBoth(english string) (exercise.Words, bool) {
	fixed := []exercise.Words{gaveUp, standsStill, refusedConfig, noOpinion, wantNumber, wantYesNo}
	if i := slices.IndexFunc(fixed, func(w exercise.Words) bool { return w.En == english }); i >= 0 {
		return fixed[i], true
	}
	if at := endedWith.FindStringSubmatch(english); at != nil {
		status, _ := strconv.Atoi(at[1])
		if w := endedItself(status); w.En == english {
			return w, true
		}
	}
	for _, form := range []exercise.Words{noFunctionNear, noFunction, noLine, otherLine} {
		if args := argsIn(form.En, english); args != nil {
			return say(form.En, form.Zh, args...), true
		}
	}
	return exercise.Words{}, false
}

var (
	endedWith = regexp.MustCompile(`with status ([0-9]+)`)
	verb      = regexp.MustCompile(`%[sd]`)
)

// argsIn are what a format was filled with, nil where the text was not made from it.
func argsIn(format, text string) (args []any) {
	pattern := strings.NewReplacer("%s", "(.+)", "%d", "([0-9]+)").Replace(regexp.QuoteMeta(format))
	parts := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(text)
	if parts == nil {
		return nil
	}
	for i, v := range verb.FindAllString(format, -1) {
		part := parts[i+1]
		if n, err := strconv.Atoi(part); v == "%d" && err == nil {
			args = append(args, n)
			continue
		}
		args = append(args, listed(strings.Split(part, ", ")))
	}
	return args
}
