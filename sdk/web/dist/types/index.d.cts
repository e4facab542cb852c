import type { ChatNamespace } from './index.js' with { 'resolution-mode': 'import' };

declare const TencentCloudChat: ChatNamespace & { default: ChatNamespace };
export = TencentCloudChat;
