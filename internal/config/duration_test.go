package config

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
)

func TestATimeoutHasWholeMilliseconds(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{999 * time.Microsecond: 0,
		1999 * time.Microsecond: time.Millisecond, time.Hour: time.Hour} {
		if got, err := Milliseconds(durationpb.New(given)); got != want || err != nil {
			t.Errorf("%v becomes %v, %v", given, got, err)
		}
	}
	if got, err := Milliseconds(nil); got != 0 || err != nil {
		t.Errorf("none becomes %v, %v", got, err)
	}
}

func TestANegativeTimeoutIsRefused(t *testing.T) {
	for given, want := range map[time.Duration]string{-time.Second: "-1s", -time.Nanosecond: "-1ns"} {
		_, err := Milliseconds(durationpb.New(given))
		if err == nil || err.Error() != "Expected positive duration: "+want {
			t.Errorf("%v: %v", given, err)
		}
	}
}
