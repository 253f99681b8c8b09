package startup

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const homeStyle = `
    .home-table { font-family: sans-serif; font-size: medium; border-collapse: collapse; }
    .home-row:nth-child(even) { background-color: #dddddd; }
    .home-data { border: 1px solid #dddddd; text-align: left; padding: 8px; }
    .home-form { margin-bottom: 0; }
  `

const homeStart = `<!DOCTYPE html>
<html lang='en'>
<head>
  <meta charset='UTF-8'>
  <title>%s admin</title>
  <link rel='icon' href='data:,'>
  <style>` + homeStyle + `</style>
</head>
<body>
  <table class='home-table'>
    <thead>
      <tr><th class='home-data'>Command</th><th class='home-data'>Description</th></tr>
    </thead>
    <tbody>
`

const homeEnd = `    </tbody>
  </table>
</body>
</html>
`

// home lists the pages for a browser: links to those that only tell, buttons for those that change
// something. The paths have no leading slash, so that the list also works from below another path.
//
// Envoy: Server::AdminImpl::handlerAdminHome
func (a *Admin) home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("Content-Security-Policy", homePolicy())
	fmt.Fprintf(w, homeStart, sanitizeHTML("envoywalk "+a.instance.Seams.Chapter.Name))
	for _, p := range a.pages[1:] { // the first is this one
		link, path := "<a href='%s'>%s</a>", p.Path[1:]
		if p.Mutates {
			link = "<form action='%s' method='post' class='home-form'><button>%s</button></form>"
		}
		fmt.Fprintf(w, "<tr class='home-row'><td class='home-data'>"+link+"</td>"+
			"<td class='home-data'>%s</td></tr>\n", path, path, sanitizeHTML(p.Help))
	}
	io.WriteString(w, homeEnd)
}

// homePolicy allows the page its own style and its own forms; no script, no frame, nothing else.
func homePolicy() string {
	style := sha256.Sum256([]byte(homeStyle))
	return "default-src 'none'; img-src data:; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(style[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// sanitizeHTML makes any text safe to stand in HTML.
//
// Envoy: Html::Utility::sanitize
func sanitizeHTML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").
		Replace(text)
}
