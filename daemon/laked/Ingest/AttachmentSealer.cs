// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;
using DeepLake.Transport;

namespace DeepLake.Laked.Ingest;

/// <summary>The kernel's side of sealing, sharing and remapping through an attachment; not for the engine's thread.</summary>
internal sealed class AttachmentSealer(Attachment attachment, OwnUse own) : ISealer, IRemapper
{
    public Errno Seal(ref SealArgs args) => Call(LakeIoctl.Seal, ref args);

    public Errno Checked(ref SealArgs args) => Call(LakeIoctl.Checked, ref args);

    public Errno Unseal(ref SealArgs args) => Call(LakeIoctl.Unseal, ref args);

    public Errno Share(ref ShareArgs args) => Count(attachment.Share(ref args));

    public Errno Remap(ref RemapArgs args) => Count(attachment.Remap(ref args));

    private Errno Call(uint call, ref SealArgs args) => Count(attachment.Seal(call, ref args));

    private Errno Count(Errno error)
    {
        if (error == Errno.None)
        {
            own.CountIntent();
        }
        return error;
    }
}
