{{/* Centres that pull: the forwarders' RTSP ports behind one Service. */}}

{{/* Ports of the pods as lines `<name> <port of the Service> <port of the pod> <protocol>`; those of UDP are the same, since centres are told them. */}}
{{- define "vonggac.servedPorts" -}}
{{- $served := .Values.served -}}
{{- if $served.enabled -}}
{{- if int $served.tlsPort }}
rtsps {{ int $served.tlsPort }} 8322 TCP
{{- end }}
{{- if int $served.port }}
rtsp {{ int $served.port }} 8554 TCP
{{- end }}
{{- with $served.udpPorts }}
{{- $ends := splitList "-" . }}
{{- range untilStep (int (first $ends)) (int (add1 (int (last $ends)))) 1 }}
udp-{{ . }} {{ . }} {{ . }} UDP
{{- end }}
{{- end }}
{{- end -}}
{{- end }}

{{- define "vonggac.servedAddresses" -}}
{{- $served := .Values.served -}}
{{- $addresses := list -}}
{{- if int $served.tlsPort }}{{ $addresses = append $addresses (printf "rtsps://%s:%d" $served.host (int $served.tlsPort)) }}{{ end -}}
{{- if int $served.port }}{{ $addresses = append $addresses (printf "rtsp://%s:%d" $served.host (int $served.port)) }}{{ end -}}
{{- join "," $addresses -}}
{{- end }}

{{/* The Secret with the authority that the prober checks the certificate by; empty: the system's. */}}
{{- define "vonggac.servedCa" -}}
{{- if and .Values.served.enabled (int .Values.served.tlsPort) }}{{ .Values.served.caSecret }}{{ end -}}
{{- end }}

{{- define "vonggac.environmentOfServed" -}}
{{- $served := .Values.served -}}
{{- if $served.enabled }}
{{- if int $served.tlsPort }}
VONGGAC_FORWARDER_SERVE_TLS_PORT: "8322"
VONGGAC_FORWARDER_SERVE_TLS_CERTIFICATE_FILE: /run/vonggac/served-tls/tls.crt
VONGGAC_FORWARDER_SERVE_TLS_KEY_FILE: /run/vonggac/served-tls/tls.key
{{- end }}
{{- if int $served.port }}
VONGGAC_FORWARDER_SERVE_PORT: "8554"
{{- end }}
{{- with $served.udpPorts }}
VONGGAC_FORWARDER_SERVE_UDP_PORTS: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Ports for a NetworkPolicy; UDP as a range. */}}
{{- define "vonggac.servedPolicyPorts" -}}
{{- $served := .Values.served -}}
{{- if int $served.tlsPort }}
- { port: 8322, protocol: TCP }
{{- end }}
{{- if int $served.port }}
- { port: 8554, protocol: TCP }
{{- end }}
{{- with $served.udpPorts }}
- { port: {{ int (first (splitList "-" .)) }}, endPort: {{ int (last (splitList "-" .)) }}, protocol: UDP }
{{- end }}
{{- end }}

{{/*
Who reaches the ports: centres, and the prober that checks them, whose way to the address of the Service ends at a pod. Forwarders
reach each other at a port that each takes by itself: they pass a centre on to the one that holds its camera.
*/}}
{{- define "vonggac.servedIngress" -}}
- from:
    {{- include "vonggac.peers" (default .Values.media.allowedNetworks .Values.served.peers) | nindent 4 }}
    {{- include "vonggac.peersOfComponents" (list . "prober") | nindent 4 }}
  ports:
    {{- include "vonggac.servedPolicyPorts" . | nindent 4 }}
- from:
    {{- include "vonggac.peersOfComponents" (list . "forwarder") | nindent 4 }}
{{- end }}

{{/*
Where the prober checks what centres type in. The address of the Service ends at the pods where the cluster keeps it inside; where a
load balancer is asked, it is this address that the policy sees.
*/}}
{{- define "vonggac.egressServed" -}}
{{- $served := .Values.served -}}
{{- $peers := .Values.networkPolicy.egress.served -}}
{{- if regexMatch "^[0-9]+([.][0-9]+){3}$" $served.host -}}
{{- $peers = append $peers (printf "%s/32" $served.host) -}}
{{- end -}}
{{- $ports := list -}}
{{- if int $served.tlsPort }}{{ $ports = append $ports (int $served.tlsPort) }}{{ end -}}
{{- if int $served.port }}{{ $ports = append $ports (int $served.port) }}{{ end -}}
{{- include "vonggac.egressNetworks" (list . $peers $ports) -}}
{{- end }}

{{- define "vonggac.checkServed" -}}
{{- $served := .Values.served -}}
{{- if $served.enabled -}}
{{- if not $served.host -}}
{{- fail "set served.host to the name or address that centres type in, and that leads to the Service of the forwarders" -}}
{{- else if not (or (int $served.tlsPort) (int $served.port)) -}}
{{- fail "set served.tlsPort, or served.port for centres without TLS: no port is open" -}}
{{- else if eq (int $served.tlsPort) (int $served.port) -}}
{{- fail "set served.port to another one than served.tlsPort" -}}
{{- else if and (int $served.tlsPort) (not $served.tlsSecret) -}}
{{- fail "set served.tlsSecret to the Secret with the certificate of served.host, or served.tlsPort to 0 where every centre is in a private network" -}}
{{- end -}}
{{- with $served.udpPorts -}}
{{- $begin := int (first (splitList "-" .)) -}}
{{- $end := int (last (splitList "-" .)) -}}
{{- if or (lt $begin 1024) (gt $end 65535) (ge $begin $end) -}}
{{- fail "set served.udpPorts to the first and the last port, from 1024 to 65535, such as 30000-30099" -}}
{{- else if gt (sub $end $begin) 199 -}}
{{- fail "set served.udpPorts to at most 200 ports: a Service names each of them" -}}
{{- else if not (int $served.port) -}}
{{- fail "set served.port for served.udpPorts: nothing encrypts UDP, so a centre that may use it asks without TLS" -}}
{{- end -}}
{{- $forwarder := $.Values.forwarder -}}
{{- if or $forwarder.autoscaling.enabled $forwarder.keda.enabled (gt (int $forwarder.replicas) 1) -}}
{{- fail "set forwarder.replicas to 1, without an autoscaler, for served.udpPorts: what a centre reports over UDP would reach another pod than the one that serves it" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
