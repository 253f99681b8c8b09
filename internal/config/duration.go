package config

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
)

// Milliseconds is a timeout as Envoy counts it: what is finer is dropped, so that one below 1 ms is
// 0, as nil is. A negative one is refused; the caller knows the place.
//
// Envoy: DurationUtil::durationToMilliseconds
func Milliseconds(d *durationpb.Duration) (time.Duration, error) {
	if d.GetSeconds() < 0 || d.GetNanos() < 0 {
		return 0, fmt.Errorf("Expected positive duration: %s", d.AsDuration())
	}
	return d.AsDuration().Truncate(time.Millisecond), nil
}
