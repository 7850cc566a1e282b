namespace Granary.Chaos.Faults;

/// <summary>What the nemesis does.</summary>
internal enum FaultKind
{
    /// <summary>kill -9; started again after the hold.</summary>
    KillSilo,

    /// <summary>SIGSTOP, and SIGCONT after the hold.</summary>
    HangSilo,

    /// <summary>SIGTERM, and started again after its end and the hold.</summary>
    RestartSilo,

    /// <summary>kill -9 of PostgreSQL's main process; started again after the hold.</summary>
    KillPostgres,

    /// <summary>PostgreSQL's fast shutdown, and a start at once.</summary>
    RestartPostgres,

    /// <summary>kill -9 of a gateway at the edge; started again after the hold.</summary>
    KillGateway,

    /// <summary>No packet passes between the silo and its peers; all reach PostgreSQL, and clients all silos.</summary>
    CutFromPeers,

    /// <summary>No packet passes between the silo and PostgreSQL; its peers and clients reach it.</summary>
    CutFromPostgres,
}
