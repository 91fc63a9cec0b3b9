export {
  type FolderPreset,
  findFolderPreset,
  findPreset,
  folderPresets,
  type Preset,
  type PresetName,
  presets,
} from './presets.js';
export { registry } from './registry.js';
