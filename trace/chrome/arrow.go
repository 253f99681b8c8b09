package chrome

import (
	"slices"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/internal/step"
	"envoywalk/trace/moment"
)

// story is a connection that is open.
type story struct {
	process *process
	frame
	number int64 // the connection's
	arrow  int64 // from its accept4, until its first slice has it
}

// otherArrows is where the numbers of arrows begin that are no post's.
const otherArrows = 1 << 40

// causesKept bounds what waits for an effect that may never come: sampling leaves connections out.
const causesKept = 1 << 14

// arrowsOf begins and ends the arrows in the slice that began last.
func (w *Recording) arrowsOf(t *track, m *moment.Moment, at int64) {
	switch {
	case m.Kind == moment.KindPost && m.PostID > 0:
		forget(w.posts, causesKept)
		w.posts[m.PostID] = true
		w.arrow("s", "post", t, m.PostID, at)
	case m.Kind == moment.KindRun && w.posts[m.PostID]:
		delete(w.posts, m.PostID)
		w.arrow("f", "post", t, m.PostID, at)
	case m.Step == step.PthreadCreate.Info().ID:
		w.cause("thread", t, m, at)
	case m.Kind == moment.KindThread:
		w.effect("thread", t, w.causeOf(m), at)
	case m.Kind == moment.KindCall && m.Call.Name == "accept4" && m.Call.Ret >= 0:
		w.cause("accept", t, m, at)
	}
	if s := w.stories[m.Parent]; s != nil {
		w.effect("accept", t, s.arrow, at)
		s.arrow = 0
	}
}

// cause begins an arrow whose end is not known yet.
func (w *Recording) cause(category string, t *track, m *moment.Moment, at int64) {
	forget(w.causes, causesKept)
	w.arrows++
	w.causes[m.ID] = otherArrows + w.arrows
	w.arrow("s", category, t, w.causes[m.ID], at)
}

// causeOf takes the arrow that waits for m, 0 for none.
func (w *Recording) causeOf(m *moment.Moment) (arrow int64) {
	for _, l := range m.Links {
		id := l.SpanContext.SpanID()
		if arrow = w.causes[id]; arrow != 0 {
			delete(w.causes, id)
			return arrow
		}
	}
	return 0
}

func (w *Recording) effect(category string, t *track, arrow, at int64) {
	if arrow != 0 {
		w.arrow("f", category, t, arrow, at)
	}
}

func forget[K comparable, V any](m map[K]V, most int) {
	if len(m) >= most {
		clear(m)
	}
}

func (w *Recording) beginStory(m *moment.Moment, s sdk.ReadOnlySpan) {
	p := w.processOf(m, s)
	story := &story{process: p, number: m.Connection, arrow: w.causeOf(m), frame: frame{id: m.ID, name: s.Name(),
		begin: w.since(s.StartTime()), known: slices.Clone(s.Attributes())}}
	w.stories[m.ID] = story
	w.story("b", story, story.begin, story.known)
}

func (w *Recording) endStory(story *story, s sdk.ReadOnlySpan) {
	delete(w.stories, story.id)
	w.story("e", story, w.since(s.EndTime()), learnt(story.known, s))
}
