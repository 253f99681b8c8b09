// Command gen turns the map of the walk, map.yaml, into steps_gen.go. `go generate` runs it in
// internal/step; it writes nothing else.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("map.yaml", "steps_gen.go"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run reads the map and writes the Go file; on error the old Go file is left as it was.
func run(mapFile, goFile string) error {
	data, err := os.ReadFile(mapFile)
	if err != nil {
		return err
	}
	source, err := generate(data)
	if err != nil {
		return fmt.Errorf("%s: %w", mapFile, err)
	}
	return os.WriteFile(goFile, source, 0o644)
}
