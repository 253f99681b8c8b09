package startup

import (
	"errors"
	"fmt"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	"envoywalk/internal/config"
	"envoywalk/internal/network"
)

// checkClusters refuses what chapter 06 would not build, so that validate says so, and says where.
func checkClusters(c *config.Result) error {
	seen := map[string]bool{}
	for n, cluster := range c.Bootstrap.GetStaticResources().GetClusters() {
		path := fmt.Sprintf("static_resources.clusters[%d]", n)
		if field, hint, err := CheckCluster(cluster); err != nil {
			return c.ErrorAt(err, path+field, hint)
		}
		if seen[cluster.GetName()] {
			err := fmt.Errorf("cluster manager: duplicate cluster '%s'", cluster.GetName())
			return c.ErrorAt(err, path+".name", "give each cluster a name of its own")
		}
		seen[cluster.GetName()] = true
	}
	return nil
}

// CheckCluster refuses a cluster whose parts do not fit together. field is where in the cluster, as
// .a.b[0]; it and the hint may be empty.
//
// Envoy: what the constructors of clusters and of ClusterInfoImpl throw
func CheckCluster(c *clusterv3.Cluster) (field, hint string, err error) {
	if hint, err = checkPolicy(c); err != nil {
		return ".lb_policy", hint, err
	}
	if source := c.GetUpstreamBindConfig().GetSourceAddress(); source != nil {
		a := &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: source}}
		if _, err = network.Resolve(a); err != nil {
			return ".upstream_bind_config.source_address", "write an IP address of this machine", err
		}
	}
	if c.GetType() == clusterv3.Cluster_ORIGINAL_DST && c.GetLoadAssignment() != nil {
		return ".load_assignment", "the client's own destination is the host", errors.New(
			"ORIGINAL_DST clusters must have no load assignment or hosts configured")
	}
	if c.GetType() == clusterv3.Cluster_LOGICAL_DNS && !hasOneHost(c.GetLoadAssignment()) {
		return ".load_assignment", "type STRICT_DNS takes many names", errors.New(
			"LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint")
	}
	return checkHosts(c)
}

// checkPolicy: ORIGINAL_DST brings its own load balancer, and no other type does.
func checkPolicy(c *clusterv3.Cluster) (hint string, err error) {
	provided := c.GetLbPolicy() == clusterv3.Cluster_CLUSTER_PROVIDED
	switch original := c.GetType() == clusterv3.Cluster_ORIGINAL_DST; {
	case original && !provided:
		return "write lb_policy: CLUSTER_PROVIDED", fmt.Errorf("cluster: LB policy %s is not valid "+
			"for Cluster type %s. Only 'CLUSTER_PROVIDED' or 'ORIGINAL_DST_LB' is allowed with "+
			"cluster type 'ORIGINAL_DST'", c.GetLbPolicy(), c.GetType())
	case provided && !original:
		return "only type ORIGINAL_DST provides one", fmt.Errorf("cluster manager: cluster provided "+
			"LB specified but cluster '%s' did not provide one. Check cluster documentation.",
			c.GetName())
	}
	return "", nil
}

func hasOneHost(a *endpointv3.ClusterLoadAssignment) bool {
	return len(a.GetEndpoints()) == 1 && len(a.GetEndpoints()[0].GetLbEndpoints()) == 1
}

func checkHosts(c *clusterv3.Cluster) (field, hint string, err error) {
	for n, locality := range c.GetLoadAssignment().GetEndpoints() {
		for m, e := range locality.GetLbEndpoints() {
			if hint, err = checkHost(c, e.GetEndpoint().GetAddress()); err != nil {
				const place = ".load_assignment.endpoints[%d].lb_endpoints[%d].endpoint.address"
				return fmt.Sprintf(place, n, m), hint, err
			}
		}
	}
	return "", "", nil
}

// checkHost: a type that resolves names takes any, the others an address as it is.
func checkHost(c *clusterv3.Cluster, a *corev3.Address) (hint string, err error) {
	socket := a.GetSocketAddress()
	switch c.GetType() {
	case clusterv3.Cluster_STRICT_DNS, clusterv3.Cluster_LOGICAL_DNS:
		switch {
		case socket == nil:
			return "a unix socket needs type: STATIC",
				fmt.Errorf("%s clusters must have socket addresses", c.GetType())
		case socket.GetResolverName() != "":
			return "remove resolver_name",
				fmt.Errorf("%s clusters must NOT have a custom resolver name set", c.GetType())
		}
		return "", nil
	}
	if _, err = network.Resolve(a); err != nil {
		return "a host name needs type: STRICT_DNS or LOGICAL_DNS", fmt.Errorf("%w. Consider setting "+
			"resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'", err)
	}
	return "", nil
}
