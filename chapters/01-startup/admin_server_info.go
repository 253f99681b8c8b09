package startup

import (
	"bytes"
	"encoding/json"
	"io"
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
	err := a.OnMain(func() {
		info.State = adminv3.ServerInfo_State(i.State())
		up := durationpb.New(time.Since(i.started).Truncate(time.Second))
		info.UptimeCurrentEpoch, info.UptimeAllEpochs = up, up
	})
	if !a.Failed(w, err) {
		a.WriteProtoWithDefaults(w, info)
	}
}

// Envoy: ServerInfoHandler::handlerHotRestartVersion
func (a *Admin) hotRestartVersion(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, a.instance.HotRestart.Version())
}

// certs: TLS is not rebuilt, and a configuration that wants it is refused: there are none.
//
// Envoy: ServerInfoHandler::handlerCerts
func (a *Admin) certs(w http.ResponseWriter, _ *http.Request) {
	a.WriteProtoWithDefaults(w, &adminv3.Certificates{})
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

// WriteProto answers with a message as JSON, without the fields that have their default values.
//
// Envoy: MessageUtil::getJsonStringFromMessage
func (a *Admin) WriteProto(w http.ResponseWriter, m proto.Message) {
	a.writeProto(w, m, protojson.MarshalOptions{UseProtoNames: true})
}

// WriteProtoWithDefaults answers with a message as JSON, with all its fields.
func (a *Admin) WriteProtoWithDefaults(w http.ResponseWriter, m proto.Message) {
	a.writeProto(w, m, protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true})
}

// writeProto indents as Envoy does: protojson's own spaces vary by build.
func (a *Admin) writeProto(w http.ResponseWriter, m proto.Message, how protojson.MarshalOptions) {
	text, err := how.Marshal(m)
	var indented bytes.Buffer
	if err == nil {
		err = json.Indent(&indented, text, "", " ")
	}
	if a.Failed(w, err) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	indented.WriteByte('\n')
	w.Write(indented.Bytes())
}
