package startup

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Envoy: ServerInfoHandler::handlerServerInfo
func (a *Admin) serverInfo(w http.ResponseWriter, _ *http.Request) {
	i := a.instance
	info := &adminv3.ServerInfo{Version: "envoywalk " + i.Seams.Chapter.Name,
		HotRestartVersion: i.HotRestart.Version(), Node: i.node,
		CommandLineOptions: i.Options.toCommandLineOptions()}
	err := a.onMain(func() {
		info.State = adminv3.ServerInfo_State(i.State())
		up := durationpb.New(time.Since(i.started).Truncate(time.Second))
		info.UptimeCurrentEpoch, info.UptimeAllEpochs = up, up
	})
	if !a.failed(w, err) {
		a.writeProto(w, protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}, info)
	}
}

// toCommandLineOptions is the command line as /server_info shows it.
//
// Envoy: OptionsImpl::toCommandLineOptions
func (o *Options) toCommandLineOptions() *adminv3.CommandLineOptions {
	return &adminv3.CommandLineOptions{
		ConfigPath: o.ConfigPath, ConfigYaml: o.ConfigYAML, AllowUnknownStaticFields: o.AllowUnknownStatic,
		Concurrency: uint32(o.Concurrency), Mode: adminv3.CommandLineOptions_Mode(o.Mode),
		BaseId: uint64(o.BaseID), RestartEpoch: uint32(o.RestartEpoch), DisableHotRestart: true,
		LogLevel: o.LogLevel.String(), ComponentLogLevel: o.ComponentLogLevel, LogFormat: o.LogFormat,
		LogFormatEscaped: o.LogFormatEscaped, LogPath: o.LogPath, AdminAddressPath: o.AdminAddressPath,
		ServiceCluster: o.ServiceCluster, ServiceNode: o.ServiceNode, ServiceZone: o.ServiceZone,
		DrainTime:          durationpb.New(time.Duration(o.DrainTime) * time.Second),
		ParentShutdownTime: durationpb.New(time.Duration(o.ParentShutdownTime) * time.Second),
	}
}

// localInfo is who this process says it is: the configuration's node, and over it the command line.
//
// Envoy: LocalInfo::LocalInfoImpl
func localInfo(node *corev3.Node, o *Options) *corev3.Node {
	n := &corev3.Node{UserAgentName: "envoywalk"}
	proto.Merge(n, node)
	if o.ServiceCluster != "" {
		n.Cluster = o.ServiceCluster
	}
	if o.ServiceNode != "" {
		n.Id = o.ServiceNode
	}
	if o.ServiceZone != "" {
		if n.Locality == nil {
			n.Locality = &corev3.Locality{}
		}
		n.Locality.Zone = o.ServiceZone
	}
	return n
}

// writeProto answers with a message as JSON, indented as Envoy does: protojson's own spaces vary
// by build.
func (a *Admin) writeProto(w http.ResponseWriter, how protojson.MarshalOptions, m proto.Message) {
	text, err := how.Marshal(m)
	var indented bytes.Buffer
	if err == nil {
		err = json.Indent(&indented, text, "", " ")
	}
	if a.failed(w, err) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	indented.WriteByte('\n')
	w.Write(indented.Bytes())
}
