package browser

import (
	"strconv"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	arrowDown  = kb.ArrowDown
	arrowUp    = kb.ArrowUp
	arrowLeft  = kb.ArrowLeft
	arrowRight = kb.ArrowRight
	backspace  = kb.Backspace
	enter      = kb.Enter
	escape     = kb.Escape
	home       = kb.Home
	end        = kb.End
)

var chromedpShift = chromedp.KeyModifiers(kb.ModifierShift)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
