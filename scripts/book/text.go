package main

// text is what the book says of itself in one language. Reports stay in one spelling, that of the
// calls.
type text struct {
	lang, help                               string
	usage                                    map[string]string // by subcommand
	noSuchLang, noSuchCommand, noModule      string
	stalePage, translationsDone              string
	noSuchChapter, noBuild, noStrace, noRun  string
	noPair, endedWith, ourFault              string
	noMarkers, written, upToDate, stale      string
	noLab, labTitle, labAlone                string
	labRun, labRound, labNext                string
	runFailed, wholeTree                     string
	noExport, exportOne, exportSame          string
	exportCut                                string
	noImport, importHas, importGoesOn        string
	importNotUnderstood, importUnfinished    string
	importSignals                            string
	importNoTimes, importNoDurations         string
	diffTwo, diffNotRead, diffCut            string
	diffNothing                              string
	has, lacks                               string
	doctorGo, doctorSystem, doctorStrace     string
	doctorGCC, doctorKernel, doctorFiles     string
	doctorModule, doctorAll, doctorNotLooked string
	oldGo, notLinux, fewFiles                string
	doctorWitness                            string
}

var texts = map[string]*text{"en": &english, "zh": &chinese}
