package main

import "strings"

// changed is a line of two texts laid over each other: ' ' is in both, '-' in the first, '+' in the second.
type changed struct {
	sign byte
	text string
}

// overlay lays two short texts over each other, line by line, so that as many as can be are in both.
func overlay(first, second string) (lines []changed) {
	a, b := linesOf(first), linesOf(second)
	same := common(a, b)
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, changed{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && same[i+1][j] >= same[i][j+1]:
			lines = append(lines, changed{'-', a[i]})
			i++
		default:
			lines = append(lines, changed{'+', b[j]})
			j++
		}
	}
	return lines
}

// common[i][j] is how many lines a[i:] and b[j:] have in common, in order.
func common(a, b []string) [][]int {
	same := make([][]int, len(a)+1)
	for i := range same {
		same[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				same[i][j] = same[i+1][j+1] + 1
			} else {
				same[i][j] = max(same[i+1][j], same[i][j+1])
			}
		}
	}
	return same
}

func linesOf(text string) []string {
	return strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// printOverlay prints the lines with their signs, in colour on a terminal.
func (s screen) printOverlay(lines []changed) string {
	tints := map[byte]tint{' ': plain, '-': red, '+': green}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(s.paint(tints[l.sign], strings.TrimRight(string(l.sign)+" "+l.text, " ")) + "\n")
	}
	return b.String()
}

func joined(lines []string) string { return strings.Join(lines, "\n") }
