/** Says the same as the table of dependency directions in docs/architecture.md. */
const edge = (folder) => `^packages/edge/src/${folder}/`;
const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    only('no-circular', 'a cycle has no direction', {}, { circular: true, dependencyTypesNot: ['type-only'] }),
    only('no-unresolved', 'what is imported must exist', {}, { couldNotResolve: true, pathNot: '^@microturn/' }),
    only(
      'protocol-is-pure',
      'protocol: schemas, codes, arithmetic; no I/O, no Node',
      { path: '^packages/protocol/src/', pathNot: '\\.test\\.ts$' },
      { pathNot: ['^packages/protocol/src/', 'node_modules/valibot'] },
    ),
    only('sdk-knows-no-edge', 'sdk -> protocol <- edge', { path: '^packages/sdk-js/' }, { path: '^packages/(edge|react-hooks)/' }),
    only('edge-knows-no-sdk', 'sdk -> protocol <- edge', { path: '^packages/edge/' }, { path: '^packages/(sdk-js|react-hooks)/' }),
    only('hooks-know-only-sdk', 'react-hooks -> sdk', { path: '^packages/react-hooks/' }, { path: '^packages/(edge|protocol)/' }),
    only('only-rtc-has-mediasoup', 'rtc/ is the one folder that imports mediasoup', { path: '^packages/edge/src/', pathNot: edge('rtc') }, { path: 'node_modules/mediasoup/' }),
    only('only-engine-has-ort', 'a run blocks its thread: engine/ is the one folder that imports onnxruntime', { path: '^packages/edge/src/', pathNot: edge('engine') }, { path: 'node_modules/onnxruntime-' }),
    only('engine-is-alone', 'engine: rows, steps, tensors; no WebRTC, sessions or messages', { path: edge('engine'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(rtc|media|session|signaling|voice|cli)/', dependencyTypesNot: ['type-only'] }),
    only('media-knows-no-model', 'media: packets, PCM, codecs, the clock', { path: edge('media'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(engine|session|signaling|voice|cli)/', dependencyTypesNot: ['type-only'] }),
    only('rtc-is-alone', 'rtc: mediasoup objects and their closing order', { path: edge('rtc'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(engine|session|signaling|voice|cli)/', dependencyTypesNot: ['type-only'] }),
    only('voice-is-alone', 'voice: text to PCM', { path: edge('voice'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(rtc|media|engine|session|signaling|cli)/', dependencyTypesNot: ['type-only'] }),
    only('llm-is-alone', 'llm: language models behind their providers', { path: edge('llm'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(rtc|media|engine|session|signaling|voice|background|cli)/', dependencyTypesNot: ['type-only'] }),
    only('only-llm-has-ai-sdk', 'llm/ is the one folder that imports the AI SDK', { path: '^packages/edge/src/', pathNot: edge('llm') }, { path: 'node_modules/(ai|@ai-sdk)/' }),
    only('only-store-has-libsql', 'it blocks its thread: store/ is the one folder that imports libsql', { path: '^packages/edge/src/', pathNot: edge('store') }, { path: 'node_modules/(@libsql/|libsql/)' }),
    only('store-is-alone', 'store: sessions as data, and where they are kept', { path: edge('store'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(rtc|media|engine|session|signaling|voice|cli)/' }),
    only('background-knows-no-socket', 'background: tasks, tools, when a result is said', { path: edge('background'), pathNot: ['\\.test\\.ts$', '/fixtures/'] }, { path: '^packages/edge/src/(rtc|media|engine|signaling|voice|cli|session)/', dependencyTypesNot: ['type-only'] }),
    only('transcribe-is-alone', 'transcribe: PCM to words', { path: edge('transcribe'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(rtc|media|engine|session|signaling|voice|composite|cli)/', dependencyTypesNot: ['type-only'] }),
    only('sherpa-is-alone', 'sherpa: models of sherpa-onnx, each in a process of its own', { path: edge('sherpa'), pathNot: ['\\.test\\.ts$', '/fixtures/'] }, { path: '^packages/edge/src/(rtc|media|engine|session|signaling|composite|cli)/', dependencyTypesNot: ['type-only'] }),
    only('composite-is-an-engine', 'composite: decisions in, decisions out', { path: edge('composite'), pathNot: '\\.test\\.ts$' }, { path: '^packages/edge/src/(rtc|media|engine|session|signaling|voice|cli)/', dependencyTypesNot: ['type-only'] }),
    only('session-uses-doors', 'session: the other folders through their index.ts', { path: edge('session'), pathNot: ['\\.test\\.ts$', '/fixtures/'] }, { path: '^packages/edge/src/(?!session/)[^/]+/', pathNot: '/index\\.ts$' }),
    only('session-knows-no-socket', 'session never reaches up', { path: edge('session') }, { path: '^packages/edge/src/(signaling|cli)/' }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules/\\.cache)/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
