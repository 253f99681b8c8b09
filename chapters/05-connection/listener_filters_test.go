package connection

import (
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	echov3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/echo/v3"
	"google.golang.org/protobuf/types/known/anypb"
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
