package grade

import (
	"context"

	"envoywalk/scripts/book/exercise"
)

// Chapter plays the exercise's scene with the chapter as it is: what the mutants are compared with.
func (g *Grader) Chapter(ctx context.Context, e *exercise.Exercise) (*Report, error) {
	return g.mutant(ctx, e, "")
}

// Program builds the chapter with one of its mutants in it, for a reader who wants to watch it run.
func (g *Grader) Program(ctx context.Context, e *exercise.Exercise, mutant string) (string, error) {
	return g.mutantProgram(ctx, e, mutant)
}

// MutantFile is where a mutant's function stands.
func (g *Grader) MutantFile(e *exercise.Exercise, mutant string) string {
	return g.mutantFile(e, mutant)
}

// Configuration is the file that the exercise's program is given, "" for none. Where it names an upstream, that
// is played until this process ends.
func (g *Grader) Configuration(e *exercise.Exercise) (string, error) {
	s, err := g.scene(e)
	if err != nil {
		return "", err
	}
	if e.Kind == exercise.Experiment {
		s.config = e.AnswerFile(g.Root, "")
	}
	if s.config == "" {
		return "", nil
	}
	return s.giveConfig()
}
