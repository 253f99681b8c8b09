package browser
import ("testing")
func TestTmp(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	press(t, tab, "/")
	for _, c := range "listen(" { press(t, tab, string(c)); t.Logf("%q", eval[string](t, tab, `document.querySelector("#search").value+" "+document.activeElement.id`)) }
	press(t, tab, escape)
	press(t, tab, "w")
	t.Log(eval[string](t, tab, `document.querySelector("#why").outerHTML.slice(0,600)`))
	t.Log(eval[string](t, tab, `document.activeElement.outerHTML.slice(0,100)`))
	press(t, tab, "j")
	press(t, tab, "w")
	t.Log(eval[string](t, tab, `document.activeElement.outerHTML.slice(0,100)`))
}
