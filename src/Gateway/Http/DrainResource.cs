using Granary.Abstractions.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orleans.Runtime;

namespace Granary.Gateway.Http;

/// <summary>POST /cluster/silos/{name}/drain: the silo hands its partitions and groups over and ends with exit code 0.</summary>
public static class DrainResource
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public static void MapGranaryDrain(this IEndpointRouteBuilder endpoints) => endpoints.MapPost(
        "/cluster/silos/{name}/drain",
        (string name, bool? force, IGrainFactory grains, TimeProvider time, CancellationToken cancellation) => DrainAsync(name, force ?? false, grains, time, cancellation));

    private static async Task<IResult> DrainAsync(string name, bool force, IGrainFactory grains, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            var map = await grains.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key).WatchAsync(ClusterMap.Empty.Fingerprint, TimeSpan.Zero, cancellation).WaitAsync(s_patience, time, cancellation);
            if (map.Members.FirstOrDefault(member => member.Name == name) is not { } silo)
                return Problems.Of(StatusCodes.Status404NotFound, "No such silo", $"No silo named '{name}' takes part now. There are: {string.Join(", ", map.Members.Select(member => member.Name))}.");
            if (silo.IsDraining)
                return AlreadyDraining(name);
            if (!force && map.Members.All(member => member.IsDraining || member.Name == name))
                return Problems.Of(StatusCodes.Status409Conflict, "The last silo", $"'{name}' is the last silo: nobody could take its partitions over. Add ?force=true to stop it all the same.");
            var answer = await grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(silo.Silo)).DrainAsync().WaitAsync(s_patience, time, cancellation);
            return answer == DrainAnswer.Begun
                ? Results.Json(new { silo.NodeId, silo.Name, State = "draining" }, statusCode: StatusCodes.Status202Accepted)
                : AlreadyDraining(name);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, "The silo does not answer", $"'{name}' did not answer: {failure.Message}");
        }
    }

    private static IResult AlreadyDraining(string name) =>
        Problems.Of(StatusCodes.Status409Conflict, "Already draining", $"'{name}' hands its partitions over already, and ends by itself.");
}
