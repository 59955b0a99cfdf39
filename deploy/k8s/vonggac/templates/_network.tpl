{{/* NetworkPolicies: the parts, then the policy of a service. */}}

{{/* Names are resolved wherever the cluster does it: its DNS pods, or the cache on each node. */}}
{{- define "vonggac.egressDns" -}}
- to:
    - namespaceSelector: {}
    - ipBlock: { cidr: 169.254.20.10/32 }
  ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
{{- end }}

{{/* (root, networks, ports); no rule without a network. */}}
{{- define "vonggac.egressNetworks" -}}
{{- with index . 1 -}}
- to:
    {{- range . }}
    - ipBlock: { cidr: {{ . | quote }} }
    {{- end }}
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
    - ipBlock:
        cidr: {{ . | quote }}
        {{- if and (eq . "0.0.0.0/0") $except }}
        except: {{ toJson $except }}
        {{- end }}
    {{- end }}
{{- end }}

{{- define "vonggac.ingressApi" -}}
{{- $networks := .Values.networkPolicy.ingress -}}
- from:
    - namespaceSelector:
        {{- if $networks.apiNamespaces }}
        matchLabels:
          {{- toYaml $networks.apiNamespaces | nindent 10 }}
        {{- else }} {}
        {{- end }}
    - namespaceSelector:
        matchLabels:
          {{- toYaml $networks.monitoringNamespace | nindent 10 }}
    - podSelector:
        matchLabels:
          {{- include "vonggac.selector" (list . "test") | nindent 10 }}
  ports: [{ port: 8080, protocol: TCP }]
{{- end }}

{{- define "vonggac.networkpolicy" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
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
  egress:
    {{- include "vonggac.egressDns" $root | nindent 4 }}
    {{- include "vonggac.egressNats" $root | nindent 4 }}
    {{- if has $component (list "inventory" "reporting") }}
    {{- include "vonggac.egressPostgres" $root | nindent 4 }}
    {{- else }}
    {{- include "vonggac.egressMedia" $root | nindent 4 }}
    {{- end }}
    {{- if $root.Values.auth.jwksUrl }}
    {{- include "vonggac.egressNetworks" (list $root $egress.oidc (list 443)) | nindent 4 }}
    {{- end }}
    {{- if eq $component "reporting" }}
    {{- include "vonggac.egressNetworks" (list $root $egress.reporting (list 25 443 465 587)) | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
