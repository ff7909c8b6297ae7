// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;
using DeepLake.Transport;

namespace DeepLake.Laked.Ingest;

/// <summary>The kernel's side of sealing and sharing through an attachment; not for the engine's thread.</summary>
internal sealed class AttachmentSealer(Attachment attachment) : ISealer
{
    public Errno Seal(ref SealArgs args) => attachment.Seal(LakeIoctl.Seal, ref args);

    public Errno Checked(ref SealArgs args) => attachment.Seal(LakeIoctl.Checked, ref args);

    public Errno Share(ref ShareArgs args) => attachment.Share(ref args);

    public Errno Unseal(ref SealArgs args) => attachment.Seal(LakeIoctl.Unseal, ref args);
}
