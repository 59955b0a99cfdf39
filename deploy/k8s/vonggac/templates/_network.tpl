{{/* NetworkPolicies: the parts, then the policy of a service. */}}

{{/* Peers of values: a network, or what a NetworkPolicy selects. */}}
{{- define "vonggac.peers" -}}
{{- range . }}
{{- if kindIs "string" . }}
- ipBlock: { cidr: {{ . | quote }} }
{{- else }}
- {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Names are resolved wherever the cluster does it. */}}
{{- define "vonggac.egressDns" -}}
{{- $egress := .Values.networkPolicy.egress -}}
- to:
    {{- include "vonggac.peers" $egress.dns | nindent 4 }}
  ports:
    {{- range $egress.dnsPorts }}
    - { port: {{ int . }}, protocol: UDP }
    - { port: {{ int . }}, protocol: TCP }
    {{- end }}
{{- end }}

{{/* (root, address): the ports of the OIDC provider: as given, else that of this address of it. */}}
{{- define "vonggac.oidcPorts" -}}
{{- $given := (index . 0).Values.networkPolicy.egress.oidcPorts -}}
{{- $port := regexFind ":[0-9]+" (trimPrefix "https:" (index . 1) | splitList "/" | rest | rest | first) | trimPrefix ":" | default "443" -}}
{{- default (list (int $port)) $given | toJson -}}
{{- end }}

{{/* (root, peers, ports); no rule without a peer. */}}
{{- define "vonggac.egressNetworks" -}}
{{- with index . 1 -}}
- to:
    {{- include "vonggac.peers" . | nindent 4 }}
  ports:
    {{- range index $ 2 }}
    - { port: {{ int . }}, protocol: TCP }
    {{- end }}
{{- end }}
{{- end }}

{{- define "vonggac.egressNats" -}}
{{- if .Values.nats.enabled -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "vonggac.selector" (list . "nats") | nindent 10 }}
  ports: [{ port: 4222, protocol: TCP }]
{{- else -}}
{{- include "vonggac.egressNetworks" (list . .Values.networkPolicy.egress.nats (list .Values.nats.external.port)) -}}
{{- end -}}
{{- end }}

{{- define "vonggac.egressPostgres" -}}
{{- if .Values.postgresql.cloudnativepg.enabled -}}
- to:
    - podSelector:
        matchLabels: { cnpg.io/cluster: {{ include "vonggac.fullname" . }}-postgresql }
  ports: [{ port: 5432, protocol: TCP }]
{{- else -}}
{{- include "vonggac.egressNetworks" (list . .Values.networkPolicy.egress.postgresql (list .Values.postgresql.port)) -}}
{{- end -}}
{{- end }}

{{/* Cameras and centres: any port, since each has its own. An open network leaves out `mediaExcept`. */}}
{{- define "vonggac.egressMedia" -}}
{{- $except := .Values.networkPolicy.egress.mediaExcept -}}
- to:
    {{- range default .Values.media.allowedNetworks .Values.networkPolicy.egress.media }}
    {{- if and (kindIs "string" .) (eq (toString .) "0.0.0.0/0") $except }}
    - ipBlock: { cidr: "0.0.0.0/0", except: {{ toJson $except }} }
    {{- else }}
    {{- include "vonggac.peers" (list .) | nindent 4 }}
    {{- end }}
    {{- end }}
{{- end }}

{{- define "vonggac.ingressApi" -}}
{{- $networks := .Values.networkPolicy.ingress -}}
- from:
    {{- if $networks.apiNamespaces }}
    - namespaceSelector:
        matchLabels:
          {{- toYaml $networks.apiNamespaces | nindent 10 }}
    {{- else if not $networks.apiPeers }}
    - namespaceSelector: {}
    {{- end }}
    {{- include "vonggac.peers" (concat $networks.apiPeers $networks.monitoringPeers) | nindent 4 }}
    - namespaceSelector:
        matchLabels:
          {{- toYaml $networks.monitoringNamespace | nindent 10 }}
    - podSelector:
        matchLabels:
          {{- include "vonggac.selector" (list . "test") | nindent 10 }}
  ports: [{ port: 8080, protocol: TCP }]
{{- end }}

{{/* (root, component, …): the pods of these components. */}}
{{- define "vonggac.peersOfComponents" -}}
{{- range rest . }}
- podSelector:
    matchLabels:
      {{- include "vonggac.selector" (list (first $) .) | nindent 6 }}
{{- end }}
{{- end }}

{{- define "vonggac.networkpolicy" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $records := has $component (list "inventory" "reporting") -}}
{{- $served := $root.Values.served.enabled -}}
{{- $isForwarder := and $served (eq $component "forwarder") -}}
{{- $provider := ternary $root.Values.console.oidc.issuer $root.Values.auth.jwksUrl (eq $component "console") -}}
{{- $egress := $root.Values.networkPolicy.egress -}}
{{- if $root.Values.networkPolicy.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "vonggac.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "vonggac.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- include "vonggac.ingressApi" $root | nindent 4 }}
    {{- if and (has $component (list "inventory" "reporting" "prober" "forwarder")) $root.Values.console.enabled }}
    - from:
        {{- include "vonggac.peersOfComponents" (list $root "console") | nindent 8 }}
      ports: [{ port: 8080, protocol: TCP }]
    {{- end }}
    {{- if $isForwarder }}
    {{- include "vonggac.servedIngress" $root | nindent 4 }}
    {{- end }}
  egress:
    {{- include "vonggac.egressDns" $root | nindent 4 }}
    {{- include "vonggac.egressNats" $root | nindent 4 }}
    {{- if $records }}
    {{- include "vonggac.egressPostgres" $root | nindent 4 }}
    {{- else if eq $component "console" }}
    - to:
        {{- include "vonggac.peersOfComponents" (list $root "inventory" "reporting" "prober" "forwarder") | nindent 8 }}
      ports: [{ port: 8080, protocol: TCP }]
    {{- else }}
    {{- include "vonggac.egressMedia" $root | nindent 4 }}
    {{- if $served }}
    - to:
        {{- include "vonggac.peersOfComponents" (list $root "forwarder") | nindent 8 }}
    {{- if eq $component "prober" }}
    {{- include "vonggac.egressServed" $root | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- end }}
    {{- if $provider }}
    {{- include "vonggac.egressNetworks" (list $root $egress.oidc (include "vonggac.oidcPorts" (list $root $provider) | fromJsonArray)) | nindent 4 }}
    {{- end }}
    {{- if eq $component "reporting" }}
    {{- include "vonggac.egressNetworks" (list $root $egress.reporting $egress.reportingPorts) | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
