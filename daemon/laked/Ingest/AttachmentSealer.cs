// SPDX-License-Identifier: MPL-2.0
using DeepLake.Abi;
using DeepLake.Engine.Ingest;
using DeepLake.Platform;
using DeepLake.Transport;

namespace DeepLake.Laked.Ingest;

/// <summary>The kernel's side of sealing and sharing through an attachment; not for the engine's thread.</summary>
internal sealed class AttachmentSealer(Attachment attachment) : ISealer
{
    /// <summary>Intents that the calls have made so far.</summary>
    public ulong Intents { get; private set; }

    public Errno Seal(ref SealArgs args) => Call(LakeIoctl.Seal, ref args);

    public Errno Checked(ref SealArgs args) => Call(LakeIoctl.Checked, ref args);

    public Errno Unseal(ref SealArgs args) => Call(LakeIoctl.Unseal, ref args);

    public Errno Share(ref ShareArgs args) => Count(attachment.Share(ref args));

    private Errno Call(uint call, ref SealArgs args) => Count(attachment.Seal(call, ref args));

    private Errno Count(Errno error)
    {
        Intents += error == Errno.None ? 1ul : 0ul;
        return error;
    }
}
