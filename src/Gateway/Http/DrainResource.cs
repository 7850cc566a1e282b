using Granary.Abstractions.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orleans.Runtime;

namespace Granary.Gateway.Http;

/// <summary>POST /cluster/silos/{name}/drain: the silo hands its partitions and groups over and ends with exit code 0.</summary>
internal static class DrainResource
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public static void MapGranaryDrain(this IEndpointRouteBuilder endpoints) => endpoints.MapPost(
        "/cluster/silos/{name}/drain",
        (HttpRequest request, string name, IGrainFactory grains, TimeProvider time, CancellationToken cancellation) =>
            DrainAsync(name, new QueryReader(request, "force").Flag("force"), grains, time, cancellation))
        .WithTags("Cluster")
        .WithSummary("Hand a silo's partitions and groups over to the others and end it (force=true: even the last one)")
        .Produces<DrainBegun>(StatusCodes.Status202Accepted)
        .TakesFlag("force: true ends even the last one");

    private static async Task<IResult> DrainAsync(string name, bool force, IGrainFactory grains, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            var map = await grains.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key).WatchAsync(ClusterMap.Empty.Fingerprint, TimeSpan.Zero, cancellation).WaitAsync(s_patience, time, cancellation);
            if (map.Members.FirstOrDefault(member => member.Name == name) is not { } silo)
                throw new Problem(StatusCodes.Status404NotFound, $"No silo named '{name}' takes part now. There are: {string.Join(", ", map.Members.Select(member => member.Name))}.");
            if (silo.IsDraining)
                throw AlreadyDraining(name);
            if (!force && map.Members.All(member => member.IsDraining || member.Name == name))
                throw new Problem(StatusCodes.Status409Conflict, $"'{name}' is the last silo: nobody could take its partitions over. Add ?force=true to stop it all the same.");
            var answer = await grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(silo.Silo)).DrainAsync().WaitAsync(s_patience, time, cancellation);
            return answer == DrainAnswer.Begun
                ? Results.Json(new DrainBegun(silo.NodeId, silo.Name, "draining"), statusCode: StatusCodes.Status202Accepted)
                : throw AlreadyDraining(name);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            throw new Problem(StatusCodes.Status503ServiceUnavailable, $"'{name}' did not answer: {failure.Message}");
        }
    }

    private static Problem AlreadyDraining(string name) =>
        new(StatusCodes.Status409Conflict, $"'{name}' hands its partitions over already, and ends by itself.");

    internal sealed record DrainBegun(int NodeId, string Name, string State);
}
