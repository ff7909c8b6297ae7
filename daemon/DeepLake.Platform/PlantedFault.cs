// SPDX-License-Identifier: MPL-2.0
namespace DeepLake.Platform;

/// <summary>Defects that can be switched on in a process of the simulator, which has to find each (docs/testing.md).</summary>
internal enum PlantedFault
{
    None,
    FrameChecksumIgnored,
    PageChecksumIgnored,
    SuperblockChecksumIgnored,
    SuperblockBeforeTicket,
    FallbackOverwritesTheGoodCopy,
    LogTrimmedToTheNewestCheckpoint,
    OlderCheckpointsFramesNotKept,
    LaterFramesNotLookedFor,
    ReplaySkipsAnEntry,
    ReplayRepeatsAnEntry,
    SequenceGapAccepted,
    DeclaredBlocksIgnored,
    DeclaredInosIgnored,
    OrphansNotReaped,
    EpochNotRaised,
    CleanMarkKept,
    FreedBlocksNotHeld,
    QuarantineEndsBeforeTheCommit,
    UnsharedBlocksForgotten,
    ThirdReferenceNotCounted,
    LastButOneReferenceFrees,
    FreedBitsNotStored,
    TrimmedBlocksNotHeld,
    ReturnedBlocksStayHeld,
    CutExtentKeepsTheWrongChecksums,
    EvictedPageLost,
    SlicedPageLost,
    SmallerSizeKeepsItsBlocks,
    RenamedDirectoryKeepsItsParent,

    // in the simulator's own parts: the kernel's commit command, the page store's twin, the kernel
    CommitWithoutFlushBefore,
    CommitWithoutFlushAfter,
    CommitToldBeforeItIsWritten,
    PagesReusedOneCheckpointEarly,
    HeldPagesReused,
    MapBeforeItsData,
}
