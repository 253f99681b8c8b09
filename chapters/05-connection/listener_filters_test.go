package connection

import (
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	echov3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/echo/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	listensocket "envoywalk/chapters/02-listen-socket"
)

func TestWhatIsNoListenerFilterIsRefusedByName(t *testing.T) {
	echo, err := anypb.New(&echov3.Echo{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = createListenerFilterFactory(nil, &listenerv3.ListenerFilter{Name: "envoy.echo",
		ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: echo}})
	const want = "Didn't find a registered implementation for name: 'envoy.echo'"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	broken := &anypb.Any{TypeUrl: echo.TypeUrl, Value: []byte{0xff}}
	if _, err = createListenerFilterFactory(nil, &listenerv3.ListenerFilter{Name: "envoy.echo",
		ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: broken}}); err == nil {
		t.Error("bytes that are no message were taken")
	}
}

func TestListenerFiltersWaitForWholeMilliseconds(t *testing.T) {
	for _, c := range []struct {
		given *durationpb.Duration
		want  time.Duration
	}{{nil, 15 * time.Second}, {durationpb.New(0), 0}, {durationpb.New(400 * time.Microsecond), 0},
		{durationpb.New(1999 * time.Microsecond), time.Millisecond}} {
		l := &listensocket.Listener{Config: &listenerv3.Listener{ListenerFiltersTimeout: c.given}}
		if err := setFiltersTimeout(l); err != nil || l.FiltersTimeout != c.want {
			t.Errorf("%v becomes %v, %v", c.given, l.FiltersTimeout, err)
		}
	}
	l := &listensocket.Listener{Config: &listenerv3.Listener{ListenerFiltersTimeout: durationpb.New(-time.Second)}}
	if err := setFiltersTimeout(l); err == nil || err.Error() != "Expected positive duration: -1s" {
		t.Errorf("a negative one: %v", err)
	}
}
