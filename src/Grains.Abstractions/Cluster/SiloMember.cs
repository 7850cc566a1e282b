using System.Collections.Immutable;
using Orleans.Runtime;

namespace Granary.Abstractions.Cluster;

/// <summary>Where clients of one kind reach a silo (Kafka's advertised.listeners).</summary>
/// <param name="Listener">The listener's name; clients that came in by a listener of that name are told of this one.</param>
[GenerateSerializer, Immutable, Alias("granary.MemberEndpoint")]
public readonly record struct MemberEndpoint([property: Id(0)] string Listener, [property: Id(1)] string Host, [property: Id(2)] int Port);

/// <summary>A silo that takes part: it is active, and its listeners listen.</summary>
/// <param name="NodeId">Its number as a broker; kept by its name, so the same after a restart.</param>
/// <param name="Silo">This run of it.</param>
/// <param name="IsDraining">It hands its partitions over and will stop: nothing new is placed on it.</param>
[GenerateSerializer, Immutable, Alias("granary.SiloMember")]
public sealed record SiloMember(
    [property: Id(0)] int NodeId,
    [property: Id(1)] string Name,
    [property: Id(2)] SiloAddress Silo,
    [property: Id(3)] ImmutableArray<MemberEndpoint> Endpoints,
    [property: Id(4)] bool IsDraining);
